extension ByteBuffer {
    /// Appends an integer in decimal without an allocation; a negative one begins with `-`.
    @inlinable
    public mutating func appendDecimal<Value: FixedWidthInteger>(_ value: Value) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendWide(value.magnitude)
    }

    /// Appends an integer in decimal, with leading zeros.
    ///
    /// - Parameters:
    ///   - value: The number; if it is negative, `-` comes before the zeros.
    ///   - width: The minimum number of digits, without the sign.
    /// - Precondition: `width` is not negative.
    @inlinable
    public mutating func appendDecimal(_ value: Int, width: Int) {
        precondition(width >= 0, "a width is not negative")
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDigits(UInt64(value.magnitude), width: width)
    }

    /// Appends the low hex digits of a number in lower case, with leading zeros.
    ///
    /// - Parameters:
    ///   - value: The number; higher digits are left out.
    ///   - digits: The number of digits to write.
    /// - Precondition: `digits` is between 1 and 8.
    @inlinable
    public mutating func appendHex(_ value: UInt32, digits: Int = 8) {
        precondition(digits >= 1 && digits <= 8, "a 32-bit number has 1 to 8 hex digits")
        reserve(digits)
        var rest = value
        var index = digits
        while index > 0 {
            index &-= 1
            let digit = UInt8(truncatingIfNeeded: rest & 0xf)
            // 39 is the distance from "9" + 1 to "a".
            let character = digit &+ UInt8(ascii: "0") &+ (digit > 9 ? 39 : 0)
            storage.storeBytes(of: character, toByteOffset: end &+ index, as: UInt8.self)
            rest >>= 4
        }
        end &+= digits
    }

    /// Appends a number of any width: at once if it fits in 64 bits, otherwise in pieces of 18 digits.
    @inlinable
    mutating func appendWide<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
        if Value.bitWidth <= 64 || value <= Value(truncatingIfNeeded: UInt64.max) {
            appendDigits(UInt64(truncatingIfNeeded: value), width: 1)
            return
        }
        let piece = value.quotientAndRemainder(
            dividingBy: Value(truncatingIfNeeded: 1_000_000_000_000_000_000 as UInt64)
        )
        appendWide(piece.quotient)
        appendDigits(UInt64(truncatingIfNeeded: piece.remainder), width: 18)
    }

    @usableFromInline
    mutating func appendDigits(_ value: UInt64, width: Int) {
        if value < 10, width < 2 { return append(UInt8(truncatingIfNeeded: value) &+ 48) }
        guard value >= 100_000_000 || width > 8 else {
            return appendEight(UInt32(truncatingIfNeeded: value), width: width)
        }
        let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
        appendDigits(high, width: max(width &- 8, 1))
        appendEight(UInt32(truncatingIfNeeded: low), width: 8)
    }

    /// Appends the digits of a number below 10 to the 8th, at least `width` of at most 8.
    private mutating func appendEight(_ value: UInt32, width: Int) {
        reserve(8)
        let digits = Self.eightDigits(of: value)
        // The first digit is in the lowest byte.
        let zeros = digits == 0 ? 7 : digits.trailingZeroBitCount / 8
        let count = max(8 &- zeros, width)
        let text = (digits | 0x3030_3030_3030_3030) &>> UInt64(8 &* (8 &- count))
        storage.storeBytes(of: text.littleEndian, toByteOffset: end, as: UInt64.self)
        end &+= count
    }

    /// Returns eight digits, one in each byte, the first one in the lowest: halves of four digits are split into pairs,
    /// and all pairs into digits, at once.
    @inline(__always)
    private static func eightDigits(of value: UInt32) -> UInt64 {
        let (first, last) = value.quotientAndRemainder(dividingBy: 10_000)
        let halves = UInt64(first) | UInt64(last) &<< 32
        // 10,486 / 2 to the 20th divides numbers up to 9,999 by 100, and 103 / 2 to the 10th those up to 99 by 10.
        let hundreds = ((halves &* 10_486) &>> 20) & 0x0000_007f_0000_007f
        let pairs = hundreds | (halves &- hundreds &* 100) &<< 16
        let tens = ((pairs &* 103) &>> 10) & 0x000f_000f_000f_000f
        return tens | (pairs &- tens &* 10) &<< 8
    }
}
