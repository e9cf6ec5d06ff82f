/// Reads of a range of bytes that holds text of HTTP.
///
/// Ranges must lie within the bytes.
package enum HTTPText {
    /// Returns the range without the blanks at both ends.
    static func trimmed(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        let start = skippingBlanks(bytes, range)
        var end = range.upperBound
        while end > start, isBlank(octet(bytes, end - 1)) { end -= 1 }
        return start..<end
    }

    /// Returns the offset of the first byte of a range that is no blank; its end if all are blanks.
    package static func skippingBlanks(_ bytes: RawSpan, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, isBlank(octet(bytes, index)) { index += 1 }
        return index
    }

    /// Returns whether a range equals a lower-case text, ignoring case.
    static func equals(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && begins(bytes, range, text)
    }

    /// Returns whether a range contains a lower-case text, ignoring case.
    static func contains(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool {
        range.contains { begins(bytes, $0..<range.upperBound, text) }
    }

    /// Returns whether a range begins with a lower-case text, ignoring case.
    private static func begins(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for (index, character) in text.enumerated() {
                let byte = octet(bytes, range.lowerBound + index)
                let lower = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
                guard lower == character else { return false }
            }
            return true
        }
    }

    /// Reads a number that a whole range holds in digits; nil for no digits, for anything else, and for a number that
    /// does not fit in an `Int`.
    static func decimal(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        guard let (value, end) = number(bytes, range, radix: 10), end == range.upperBound else { return nil }
        return value
    }

    /// Reads the digits at a range's start: their value, and the offset after them; nil if there are none, or the number
    /// does not fit in an `Int`.
    static func number(_ bytes: RawSpan, _ range: Range<Int>, radix: Int) -> (value: Int, end: Int)? {
        var (value, index) = (0, range.lowerBound)
        while index < range.upperBound, let digit = digit(octet(bytes, index)), digit < radix {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: radix)
            let (sum, isSumTooLarge) = product.addingReportingOverflow(digit)
            guard !isTooLarge, !isSumTooLarge else { return nil }
            value = sum
            index += 1
        }
        return index > range.lowerBound ? (value, index) : nil
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Returns whether a byte may be in a token, as in a field's name: no blank, and no delimiter.
    ///
    /// Source: RFC 9110 section 5.6.2.
    static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Returns the byte at an offset.
    static func octet(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
