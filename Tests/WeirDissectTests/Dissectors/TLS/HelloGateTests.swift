import Support
import Testing
import WeirDissect

@Suite("Gate for ClientHellos")
struct HelloGateTests {
    /// A ClientHello for `example.com` with ALPN h2 and http/1.1, without its records.
    private static let hello: [UInt8] = {
        func block(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
            (0..<size).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
        }
        func part(_ type: UInt8, _ bytes: [UInt8]) -> [UInt8] { [0, type] + block(bytes, 2) }
        let extensions =
            part(0, block([0] + block(Array("example.com".utf8), 2), 2))
            + part(16, block(block(Array("h2".utf8), 1) + block(Array("http/1.1".utf8), 1), 2))
            + part(10, block([0, 29, 0, 23], 2)) + part(13, block([4, 3, 8, 4], 2)) + part(43, block([3, 4, 3, 3], 1))
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + block([0x13, 1], 2) + [1, 0] + block(extensions, 2)
        return [1] + block(body, 3)
    }()

    /// Puts bytes of a handshake into records of a size.
    private static func records(_ handshake: [UInt8], _ size: Int) -> [UInt8] {
        stride(from: 0, to: handshake.count, by: size).flatMap { start in
            let piece = handshake[start..<min(start + size, handshake.count)]
            return [22, 3, 1, UInt8(piece.count >> 8), UInt8(piece.count & 255)] + piece
        }
    }

    private static func feed(_ bytes: [UInt8], piece: Int) -> (verdict: HelloGate.Verdict, held: [UInt8]) {
        var gate = HelloGate()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let verdict = gate.feed(Array(bytes[start..<min(start + piece, bytes.count)]).span.bytes)
            if case .more = verdict { continue }
            return (verdict, gate.bytes)
        }
        return (.more, gate.bytes)
    }

    @Test("A handshake of type 1 that is too short, or of another version, is no hello")
    func malformed() {
        for bytes: [UInt8] in [
            [22, 3, 1, 0, 4, 1, 0, 0, 0, 7], [22, 3, 1, 0, 60, 1, 0, 0, 37], [22, 3, 1, 0, 60, 1, 0, 0, 56, 2],
        ] {
            guard case .plain = Self.feed(bytes, piece: 100).verdict else {
                Issue.record("\(bytes) may be a hello")
                continue
            }
        }
    }

    @Test("A hello is read whatever the sizes of its pieces and of its records", arguments: [1, 2, 5, 6, 40, 1000])
    func sizes(record: Int) throws {
        let bytes = Self.records(Self.hello, record)
        for piece in 1...60 {
            let (verdict, held) = Self.feed(bytes, piece: piece)
            guard case .hello(let hello) = verdict else {
                Issue.record("\(piece): \(verdict)")
                continue
            }
            #expect(hello.serverName == "example.com" && hello.protocols == [Array("h2".utf8), Array("http/1.1".utf8)])
            #expect(hello.version == 0x0304 && hello.groups == [29, 23] && hello.takesECDSA)
            #expect(!hello.hasEncryptedHello && !hello.hasEarlyData && hello.fingerprint.hasPrefix("t13d"))
            #expect(held == bytes)
        }
        // Each beginning of it may become one.
        for count in 0..<bytes.count {
            guard case .more = Self.feed(Array(bytes.prefix(count)), piece: 7).verdict else {
                Issue.record("\(count)")
                continue
            }
        }
    }

    @Test(
        "Another protocol is known by its first byte that does not fit",
        arguments: [
            ("47", 1), ("16 02", 2), ("16 03 05", 3), ("16 03 01 00 00", 5), ("16 03 01 40 01", 5),
            ("16 03 01 00 05 02", 6),
            ("15 03 01 00 02", 1), ("16 03 01 00 04 01 ff ff ff", 9),
        ]
    )
    func others(text: String, known: Int) {
        let all = bytes(text)
        var gate = HelloGate()
        var places: [Int] = []
        for (index, byte) in all.enumerated() {
            if case .plain = gate.feed([byte].span.bytes) { places.append(index + 1) }
        }
        #expect(places.first == known)
    }

    @Test("A hello that never ends is none")
    func endless() {
        var gate = HelloGate()
        var count = 0
        let start: [UInt8] = [22, 3, 1, 0x40, 0, 1, 1, 0xff, 0xff]
        var verdict = gate.feed(start.span.bytes)
        let more = [UInt8](repeating: 0, count: 16_384 - 4) + [22, 3, 1, 0x40, 0]
        while case .more = verdict, count < 100 {
            count += 1
            verdict = gate.feed(
                (count == 1 ? more : [UInt8](repeating: 0, count: 16_384) + [22, 3, 1, 0x40, 0]).span.bytes
            )
        }
        #expect(count < 20)
    }
}
