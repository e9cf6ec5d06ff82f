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
        var count = 1
        var bound: UInt64 = 10
        // 20 digits hold every 64-bit number, and 10 to the 20th does not fit in one.
        while count < 20, value >= bound {
            count += 1
            bound = count < 20 ? bound &* 10 : bound
        }
        count = max(count, width)
        reserve(count)
        var rest = value
        var index = end &+ count
        while index > end {
            index &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            storage.storeBytes(of: UInt8(truncatingIfNeeded: digit) &+ 48, toByteOffset: index, as: UInt8.self)
            rest = quotient
        }
        end &+= count
    }
}
