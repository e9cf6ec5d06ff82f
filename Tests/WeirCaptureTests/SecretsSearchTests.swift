import Support
import Testing
import WeirCapture
import WeirWire

@Suite("The search for secrets in a capture")
struct SecretsSearchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A pcapng file, block by block.
    private struct File {
        var bytes: [UInt8] = []
        let isBig: Bool

        init(isBig: Bool = false) {
            self.isBig = isBig
            add(0x0a0d_0d0a, word(0x1a2b_3c4d) + half(1) + half(0) + [UInt8](repeating: 0xff, count: 8))
            add(1, half(1) + half(0) + word(0))
        }

        private func half(_ number: UInt16) -> [UInt8] {
            withUnsafeBytes(of: isBig ? number.bigEndian : number.littleEndian) { Array($0) }
        }

        private func word(_ number: UInt32) -> [UInt8] {
            withUnsafeBytes(of: isBig ? number.bigEndian : number.littleEndian) { Array($0) }
        }

        mutating func add(_ type: UInt32, _ body: [UInt8]) {
            let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
            bytes += word(type) + word(UInt32(padded.count + 12)) + padded + word(UInt32(padded.count + 12))
        }

        mutating func add(secrets text: String, format: UInt32 = 0x544c_534b) {
            add(10, word(format) + word(UInt32(text.utf8.count)) + Array(text.utf8))
        }

        mutating func add(packets count: Int) {
            let body = word(0) + word(0) + word(0) + word(900) + word(900) + [UInt8](repeating: 7, count: 900)
            for _ in 0..<count { add(6, body) }
        }
    }

    private func found(_ file: File, isThorough: Bool = false) throws -> [String] {
        let path = try folder.file("capture", file.bytes)
        return SecretsSearch.secrets(in: path, isThorough: isThorough).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Secrets at the beginning and at the end are found, in both byte orders", arguments: [false, true])
    func places(isBig: Bool) throws {
        var first = File(isBig: isBig)
        first.add(secrets: "one")
        first.add(packets: 200)
        #expect(try found(first) == ["one"])
        var last = File(isBig: isBig)
        last.add(packets: 200)
        last.add(secrets: "end")
        last.add(5, [UInt8](repeating: 0, count: 12))
        #expect(try found(last) == ["end"])
    }

    @Test("Those in the midst are found if there are others, or if all of the file is to be searched")
    func midst() throws {
        var file = File()
        file.add(packets: 200)
        file.add(secrets: "midst")
        file.add(packets: 200)
        #expect(try found(file) == [])
        #expect(try found(file, isThorough: true) == ["midst"])
        file.add(secrets: "end")
        #expect(try found(file) == ["midst", "end"])
        file.add(secrets: "of SSH", format: 0x5353_484b)
        #expect(try found(file) == ["midst", "end"])
    }

    @Test("Other files, and files that are cut or wrong anywhere, have what comes before")
    func damage() throws {
        for bytes in [[], [10, 13, 13, 10], Array("SSLKEYLOGFILE".utf8)] as [[UInt8]] {
            let path = try folder.file("other", bytes)
            #expect(SecretsSearch.secrets(in: path, isThorough: true).isEmpty)
        }
        for path in ["-", folder.path, folder.path + "/none"] {
            #expect(SecretsSearch.secrets(in: path, isThorough: true).isEmpty)
        }
        var file = File()
        file.add(secrets: "one")
        file.add(packets: 1)
        file.add(secrets: "two")
        for count in 0..<file.bytes.count {
            var part = file
            part.bytes = Array(file.bytes.prefix(count))
            let texts = try found(part, isThorough: true)
            #expect(["one", "two"].starts(with: texts), "\(count): \(texts)")
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<300 {
            var part = file
            let place = Int(generator.next() % UInt64(file.bytes.count))
            part.bytes[place] ^= UInt8(truncatingIfNeeded: generator.next()) | 1
            #expect(try found(part, isThorough: true).count <= 2)
        }
    }
}
