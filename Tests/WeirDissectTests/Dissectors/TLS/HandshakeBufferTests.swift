import Testing

@testable import WeirDissect

@Suite("Buffer of handshake messages")
struct HandshakeBufferTests {
    private static func append(_ text: String, at place: Int, to buffer: inout HandshakeBuffer) {
        buffer.append(bytes(text).span.bytes, at: place)
    }

    /// Gives the places of each message's pieces and those of all its bytes.
    private static func read(_ buffer: inout HandshakeBuffer) -> [String] {
        var read: [String] = []
        while let message = buffer.next() {
            let pieces = message.places.map { "\($0.start)@\($0.place)" }.joined(separator: " ")
            read.append("\(hex(message.bytes)) \(pieces) \(message.place(of: 0..<message.bytes.count))")
        }
        return read
    }

    @Test("Messages are read from the pieces that they are in, however these are cut")
    func pieces() {
        var buffer = HandshakeBuffer()
        #expect(buffer.isEmpty)
        Self.append("01 000003 07", at: 100, to: &buffer)
        #expect(Self.read(&buffer) == [])
        #expect(!buffer.isEmpty)
        Self.append("08", at: 200, to: &buffer)
        #expect(Self.read(&buffer) == [])
        Self.append("09 0e000000 14", at: 300, to: &buffer)
        #expect(Self.read(&buffer) == ["01000003070809 0@100 5@200 6@300 100..<301", "0e000000 -1@300 301..<305"])
        #expect(!buffer.isEmpty)
        Self.append("000001", at: 400, to: &buffer)
        Self.append("aa", at: 500, to: &buffer)
        #expect(Self.read(&buffer) == ["14000001aa -5@300 1@400 4@500 305..<501"])
        #expect(buffer.isEmpty)
        Self.append("0e000000", at: 600, to: &buffer)
        #expect(Self.read(&buffer) == ["0e000000 0@600 600..<604"])
    }

    @Test("A range is where its first byte is, up to its last")
    func ranges() {
        let message = HandshakeMessage(bytes: [UInt8](repeating: 1, count: 10), places: [(-2, 50), (3, 70), (6, 65)])
        for (range, place) in [
            (0..<1, 52..<53), (0..<3, 52..<55), (2..<4, 54..<71), (3..<3, 70..<70), (3..<6, 70..<73), (5..<6, 72..<73),
            (5..<7, 72..<72), (6..<10, 65..<69), (1..<1, 53..<53),
        ] { #expect(message.place(of: range) == place) }
        let unplaced = HandshakeMessage(bytes: [1], places: [])
        #expect(unplaced.place(of: 0..<1) == 0..<1 && unplaced.type == 1)
        #expect(HandshakeMessage(bytes: [], places: []).type == 0)
    }

    @Test(
        "What is in it may be a handshake",
        arguments: [
            ("", true), ("01", true), ("63", false), ("63 000000 01", false), ("01 ffff", true), ("01 01fffc", true),
            ("01 01fffd", false), ("0e000000 63", false), ("0e000000 01", true),
        ]
    )
    func plausible(text: String, isPlausible: Bool) {
        var buffer = HandshakeBuffer()
        Self.append(text, at: 0, to: &buffer)
        if text.hasPrefix("0e") { #expect(buffer.next()?.type == 14) }
        #expect(buffer.isPlausible == isPlausible)
        buffer.removeAll()
        #expect(buffer.isEmpty && buffer.isPlausible)
        #expect(buffer.next()?.type == nil)
    }

    @Test("Holds 160 KB", arguments: [163_840, 163_841])
    func size(count: Int) {
        var buffer = HandshakeBuffer()
        buffer.append([UInt8](repeating: 0xff, count: count).span.bytes, at: 0)
        #expect(buffer.isEmpty == (count > 163_840))
    }

    @Test("Knows where the first 128 pieces are")
    func places() {
        var buffer = HandshakeBuffer()
        for (index, byte) in ([1, 0, 0, 196] + [UInt8](repeating: 7, count: 196)).enumerated() {
            let piece: [UInt8] = [byte]
            buffer.append(piece.span.bytes, at: 1000 - 2 * index)
        }
        let message = buffer.next()
        #expect(message?.places.count == 128)
        #expect(message?.place(of: 127..<128) == 746..<747)
        #expect(message?.place(of: 199..<200) == 818..<819)
    }
}
