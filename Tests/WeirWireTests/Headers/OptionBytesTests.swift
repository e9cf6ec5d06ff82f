import Testing

@testable import WeirWire

@Suite("Bytes of options")
struct OptionBytesTests {
    private static func options(_ bytes: [UInt8]) -> OptionBytes? { OptionBytes(bytes.span.bytes) }

    @Test("Are up to 40, each in its place")
    func capacity() throws {
        let (most, more) = ((1...40).map { UInt8($0) }, (1...41).map { UInt8($0) })
        #expect(Self.options(more) == nil)
        let whole = try #require(Self.options(most))
        #expect(whole.count == 40 && (0..<40).map { whole[$0] } == most)
        var built = OptionBytes()
        for byte in most {
            let isTaken = built.append(byte)
            #expect(isTaken)
        }
        #expect(built == whole && built.hashValue == whole.hashValue)
        let isTaken = built.append(41)
        #expect(!isTaken && built.count == 40 && built == whole)
    }

    @Test("Are equal if they are the same on the wire, where zeros pad them to four")
    func equality() throws {
        func options(_ bytes: [UInt8]) throws -> OptionBytes { try #require(Self.options(bytes)) }
        #expect(try options([1]) == options([1, 0, 0, 0]))
        #expect(try options([1]).hashValue == options([1, 0, 0, 0]).hashValue)
        #expect(try options([1]) != options([1, 0, 0, 0, 0]))
        #expect(try options([]) != options([0]))
        for place in 0..<40 {
            var (one, other) = ([UInt8](repeating: 1, count: 40), [UInt8](repeating: 1, count: 40))
            one[place] = 2
            #expect(try options(one) != options(other))
            other[place] = 2
            #expect(try options(one) == options(other))
        }
    }

    @Test("Are read from anywhere, in words and by single bytes", arguments: 0...40)
    func parsing(count: Int) {
        let bytes = (0..<50).map { UInt8($0 + 100) }
        let options = OptionBytes(parsing: bytes.span.bytes, from: 5, to: 5 + count)
        #expect(options.count == count && (0..<count).map { options[$0] } == Array(bytes[5..<(5 + count)]))
        #expect(options.paddedCount == (count + 3) / 4 * 4)
    }

    @Test("Give numbers of several bytes, and take them")
    func numbers() {
        var options = OptionBytes()
        options.append(0x0102_0304_0506_0708, width: 8)
        options.append(0x0a0b_0c0d, width: 3)
        #expect((0..<11).map { options[$0] } == [1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0c, 0x0d])
        #expect(options.number(in: 6..<10) == 0x0708_0b0c && options.number(in: 3..<3) == 0)
    }

    @Test(
        "Are one option after the other, up to what cannot be one",
        arguments: [
            ([1, 1, 5, 3, 9, 0, 7], "no no 5:4..<5 end"), ([2, 2, 3, 2], "2:2..<2 3:4..<4"), ([5], "5!0"),
            ([5, 1], "5!0"), ([5, 0], "5!0"), ([1, 5, 4, 9], "no 5!1"), ([1, 5, 3, 9], "no 5:3..<4"),
            ([0, 5, 2], "end"),
        ] as [([UInt8], String)]
    )
    func options(bytes: [UInt8], expected: String) throws {
        let options = try #require(Self.options(bytes))
        var offset = 0
        var found: [String] = []
        while let option = options.nextOption(at: &offset) {
            switch option {
            case .endOfList: found.append("end")
            case .noOperation: found.append("no")
            case .content(let kind, let range): found.append("\(kind):\(range)")
            case .malformed(let kind, let place): found.append("\(kind)!\(place)")
            }
        }
        #expect(found.joined(separator: " ") == expected)
    }
}
