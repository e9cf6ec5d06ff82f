import Testing

@testable import WeirDissect

@Suite("Element of DER")
struct DERElementTests {
    private static func element(_ bytes: [UInt8], at offset: Int = 0, in range: Range<Int>? = nil) -> String {
        guard let element = DERElement(bytes.span.bytes, at: offset, in: range ?? 0..<bytes.count) else { return "-" }
        return "\(hex([element.tag])) \(element.contents)\(element.isConstructed ? " constructed" : "")"
    }

    @Test(
        "Has a tag and a length in one byte or in up to four more",
        arguments: [
            ("04 00", "04 2..<2"), ("30 02 0102", "30 2..<4 constructed"), ("a0 01 01 ff", "a0 2..<3 constructed"),
            ("1e 00", "1e 2..<2"), ("1f 00", "-"), ("3f 00", "-"), ("04", "-"), ("", "-"), ("04 03 0102", "-"),
            ("04 80 00", "-"), ("04 81 01 09", "04 3..<4"), ("04 82 0001 09", "04 4..<5"),
            ("04 83 000001 09", "04 5..<6"),
            ("04 84 00000001 09", "04 6..<7"), ("04 85 0000000001 09", "-"), ("04 84 ffffffff 09", "-"),
            ("04 82 00", "-"),
            ("04 81", "-"), ("04 81 00", "04 3..<3"),
        ]
    )
    func forms(text: String, shown: String) { #expect(Self.element(bytes(text)) == shown) }

    @Test("May end where its bytes do", arguments: [127, 128, 255, 256])
    func lengths(count: Int) {
        let length: [UInt8] =
            count < 128
            ? [UInt8(count)] : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
        let whole = [4] + length + [UInt8](repeating: 7, count: count)
        #expect(Self.element(whole) == "04 \(whole.count - count)..<\(whole.count)")
        #expect(Self.element(whole + [0]) == "04 \(whole.count - count)..<\(whole.count)")
        #expect(Self.element(Array(whole.dropLast())) == "-")
        // The indefinite length is none, however many bytes follow.
        #expect(Self.element([4, 0x80] + [UInt8](repeating: 0, count: count)) == "-")
    }

    @Test("Is within its range")
    func ranges() {
        let four: [UInt8] = [9, 4, 1, 7, 9]
        #expect(Self.element(four, at: 1, in: 1..<4) == "04 3..<4")
        for range in [1..<3, 2..<5, 0..<1, 4..<5, 1..<1] { #expect(Self.element(four, at: 1, in: range) == "-") }
        #expect(Self.element([4, 1, 7], in: 0..<9) == "04 2..<3")
        #expect(Self.element([4, 2, 7], in: 0..<9) == "-")
    }

    @Test("A list has what follows each other, up to what is none and up to a limit")
    func lists() {
        func list(_ text: [UInt8], _ range: Range<Int>, upTo limit: Int = 256) -> [Range<Int>] {
            DERElement.list(text.span.bytes, in: range, upTo: limit).map(\.contents)
        }
        let some = bytes("05 00 04 01 aa 02 02 0102 04 05 00")
        #expect(list(some, 0..<some.count) == [2..<2, 4..<5, 7..<9])
        #expect(list(some, 2..<9) == [4..<5, 7..<9])
        #expect(list(some, 0..<8) == [2..<2, 4..<5])
        #expect(list(some, 0..<9, upTo: 2) == [2..<2, 4..<5])
        let many = [[UInt8]](repeating: [5, 0], count: 257).flatMap { $0 }
        #expect(DERElement.list(many.span.bytes, in: 0..<many.count).count == 256)
    }
}
