import Testing
import WeirWire

@Suite("Byte buffer: numbers")
struct ByteBufferNumbersTests {
    @Test("Writes the extremes of every width in decimal")
    func extremes() {
        func check<Value: FixedWidthInteger>(_: Value.Type) {
            for value in [Value.min, Value.min + 1, 0, 1, 9, 10, 99, 100, Value.max - 1, Value.max] {
                #expect(rendered { $0.appendDecimal(value) } == String(value))
            }
        }
        check(Int8.self)
        check(UInt8.self)
        check(Int16.self)
        check(UInt16.self)
        check(Int32.self)
        check(UInt32.self)
        check(Int64.self)
        check(UInt64.self)
        check(Int128.self)
        check(UInt128.self)
    }

    @Test("Writes each power of ten and its neighbours")
    func powers() {
        var power: UInt128 = 1
        for _ in 0..<38 {
            for value in [power - 1, power, power + 1] {
                #expect(rendered { $0.appendDecimal(value) } == String(value))
                let word = UInt64(truncatingIfNeeded: value)
                #expect(rendered { $0.appendDecimal(word) } == String(word))
            }
            power *= 10
        }
    }

    @Test(
        "Pads with zeros and never cuts",
        arguments: [
            (0, 0, "0"), (0, 1, "0"), (0, 3, "000"), (7, 2, "07"), (42, 6, "000042"), (123_456, 6, "123456"),
            (1_234_567, 6, "1234567"), (-5, 3, "-005"), (1, 30, "000000000000000000000000000001"),
            (Int.max, 5, "9223372036854775807"), (Int.min, 5, "-9223372036854775808"),
        ]
    )
    func pads(value: Int, width: Int, expected: String) {
        #expect(rendered { $0.appendDecimal(value, width: width) } == expected)
    }

    @Test("Writes every number of four digits, in each half of eight")
    func fours() {
        for value in 0..<10_000 {
            #expect(rendered { $0.appendDecimal(value) } == String(value))
            let both = value * 10_000 + 9_999 - value
            #expect(rendered { $0.appendDecimal(both) } == String(both))
        }
    }

    @Test("Pads to any width, in a buffer that has no room")
    func widths() {
        for value in [0, 9, 10, 99_999_999, 100_000_000, 9_999_999_999_999_999, 10_000_000_000_000_000] {
            for width in 0...26 {
                let digits = String(value)
                let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
                for filling in 9...16 {
                    var output = ByteBuffer(capacity: 16)
                    for _ in 0..<filling { output.append(UInt8(ascii: "-")) }
                    output.appendDecimal(value, width: width)
                    #expect(output.string == String(repeating: "-", count: filling) + zeros + digits)
                }
            }
        }
    }

    @Test(
        "Writes the low hex digits in lower case",
        arguments: [
            (0, 8, "00000000"), (0xdead_beef, 8, "deadbeef"), (0x1234_5678, 4, "5678"), (0xf, 1, "f"),
            (0x90a, 3, "90a"),
            (0xffff_ffff, 7, "fffffff"), (0x7ff0, 8, "00007ff0"),
        ]
    )
    func hex(value: UInt32, digits: Int, expected: String) {
        #expect(rendered { $0.appendHex(value, digits: digits) } == expected)
        if digits == 8 { #expect(rendered { $0.appendHex(value) } == expected) }
    }
}
