import Testing

@testable import WeirDissect

@Suite("Stream of a QUIC handshake")
struct CryptoStreamTests {
    /// Gives what can be read after each piece, as its offset and bytes.
    private static func read(_ pieces: [(offset: Int, bytes: [UInt8])]) -> [String] {
        var stream = CryptoStream()
        return pieces.map { piece in
            stream.add(piece.bytes.span.bytes, at: piece.offset)
            return stream.next().map { "\($0.offset) \(hex($0.bytes))" } ?? "-"
        }
    }

    @Test("Pieces in any order are read once what is before them is there")
    func order() {
        #expect(Self.read([(0, [1, 2, 3]), (3, [4]), (4, [5, 6])]) == ["0 010203", "3 04", "4 0506"])
        #expect(
            Self.read([(10, [10, 11]), (4, [4, 5]), (7, [7]), (0, [0, 1, 2, 3]), (6, [6]), (8, [8, 9])])
                == ["-", "-", "-", "0 000102030405", "6 0607", "8 08090a0b"]
        )
    }

    @Test("Pieces that are there already, or begin within others, add what is new")
    func overlaps() {
        #expect(
            Self.read([(0, [1, 2, 3]), (0, [1, 2, 3]), (1, [2, 3, 4]), (2, [3])]) == ["0 010203", "-", "3 04", "-"]
        )
        #expect(Self.read([(2, [1, 1, 1]), (3, [2, 2]), (0, [0, 0])]) == ["-", "-", "0 0000010202"])
        #expect(Self.read([(3, [3, 4]), (1, [1, 2, 3, 4, 5]), (0, [0])]) == ["-", "-", "0 000102030405"])
        #expect(Self.read([(0, [1]), (2, [3]), (0, [1, 2, 3, 4])]) == ["0 01", "-", "1 020304"])
        #expect(Self.read([(0, []), (-1, [1, 2]), (0, [1])]) == ["-", "-", "0 01"])
    }

    @Test(
        "Is not longer than 64 KB",
        arguments: [(0, 65_536, true), (0, 65_537, false), (65_530, 6, true), (65_530, 7, false)]
    )
    func length(offset: Int, count: Int, isTaken: Bool) {
        var stream = CryptoStream()
        stream.add([UInt8](repeating: 0, count: offset).span.bytes, at: 0)
        _ = stream.next()
        stream.add([UInt8](repeating: 7, count: count).span.bytes, at: offset)
        let read = stream.next()
        #expect(read?.offset == (isTaken ? offset : nil))
        #expect(read?.bytes.count == (isTaken ? count : nil))
    }

    @Test("Has 256 pieces that do not touch, and no more", arguments: [255, 256])
    func parts(count: Int) {
        var stream = CryptoStream()
        let byte: [UInt8] = [9]
        for index in 1...count { stream.add(byte.span.bytes, at: 2 * index) }
        stream.add(byte.span.bytes, at: 0)
        #expect(stream.next()?.bytes == (count == 255 ? [9] : nil))
    }
}
