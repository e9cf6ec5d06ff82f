extension IPAddress: LosslessStringConvertible {
    /// Parses an address as text, strictly.
    ///
    /// IPv4 is four decimal numbers without leading zeros. IPv6 is any form of RFC 4291 section 2.2, optionally
    /// followed by `%` and the zone's number (not 0, no leading zero, no interface name). No other text may come before
    /// or after.
    ///
    /// - Parameter text: `127.0.0.1`, `::1`, `fe80::1%2`, `::ffff:127.0.0.1`.
    @inlinable
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(utf8: bytes.span)
    }

    /// Parses an address from the bytes of its text, as strictly as from a string.
    public init?(utf8 text: Span<UInt8>) {
        self.init(utf8: text, in: 0..<text.count)
    }

    /// The canonical text: dotted decimal, or the form of RFC 5952, with `%` and the number of a zone.
    ///
    /// Parsing it returns the same address.
    public var description: String {
        var buffer = ByteBuffer(capacity: IPAddress.longestText)
        write(to: &buffer)
        return buffer.string
    }

    /// Appends the canonical text to a buffer, without an allocation if the buffer has room.
    ///
    /// Source: RFC 5952 sections 4 and 5.
    public func write(to buffer: inout ByteBuffer) {
        buffer.reserve(IPAddress.longestText)
        if isV4 {
            writeDotted(to: &buffer)
            return
        }
        if isV4Mapped {
            buffer.append("::ffff:")
            writeDotted(to: &buffer)
        } else {
            writeGroups(to: &buffer)
        }
        if scope != 0 {
            buffer.append(UInt8(ascii: "%"))
            buffer.appendDecimal(scope)
        }
    }

    /// The maximum length of the text in bytes: 8 groups, 7 colons, `%` and a number of 10 digits.
    package static let longestText = 50
}

// Printing
extension IPAddress {
    private func writeDotted(to buffer: inout ByteBuffer) {
        let value = v4
        buffer.appendDecimal(UInt8(truncatingIfNeeded: value >> 24))
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(UInt8(truncatingIfNeeded: value >> 16))
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(UInt8(truncatingIfNeeded: value >> 8))
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(UInt8(truncatingIfNeeded: value))
    }

    private func writeGroups(to buffer: inout ByteBuffer) {
        let zeros = longestZeroRun
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound, !zeros.isEmpty {
                buffer.append(UInt8(ascii: ":"))
                buffer.append(UInt8(ascii: ":"))
                index = zeros.upperBound
                continue
            }
            if index != 0, index != zeros.upperBound || zeros.isEmpty {
                buffer.append(UInt8(ascii: ":"))
            }
            let value = group(index)
            let digits = max(1, (16 - value.leadingZeroBitCount + 3) / 4)
            buffer.appendHex(UInt32(value), digits: digits)
            index += 1
        }
    }

    /// The groups that `::` stands for: the longest run of two or more zero groups, the first of equally long ones.
    private var longestZeroRun: Range<Int> {
        var best = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, group(index) == 0 { index += 1 }
            if index - start > max(best.count, 1) { best = start..<index }
            index += 1
        }
        return best
    }

    private func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index & 3)))
    }
}

// Parsing
extension IPAddress {
    /// Parses a range of bytes, all of which must belong to the address.
    init?(utf8 text: Span<UInt8>, in range: Range<Int>) {
        var end = range.upperBound
        var isV6 = false
        for index in range {
            if text[index] == UInt8(ascii: ":") { isV6 = true }
            if text[index] == UInt8(ascii: "%") {
                end = index
                break
            }
        }
        guard isV6 else {
            // With a zone, `end` is not the end of the range, and IPv4 has no zones.
            guard end == range.upperBound, let value = IPAddress.dotted(text, in: range) else { return nil }
            self.init(v4: value)
            return
        }
        guard let value = IPAddress.groups(text, in: range.lowerBound..<end) else { return nil }
        var scope: UInt32 = 0
        if end != range.upperBound {
            guard let zone = IPAddress.decimal(text, in: (end + 1)..<range.upperBound, digits: 10), zone != 0,
                let number = UInt32(exactly: zone)
            else { return nil }
            scope = number
        }
        self.init(
            v6: UInt64(truncatingIfNeeded: value >> 64),
            low: UInt64(truncatingIfNeeded: value),
            scope: scope
        )
    }

    /// Parses a number without a sign or leading zeros that fills the range and has at most `digits` digits.
    static func decimal(_ text: Span<UInt8>, in range: Range<Int>, digits: Int) -> UInt64? {
        guard !range.isEmpty, range.count <= digits else { return nil }
        if text[range.lowerBound] == UInt8(ascii: "0"), range.count > 1 { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }

    private static func dotted(_ text: Span<UInt8>, in range: Range<Int>) -> UInt32? {
        var value: UInt32 = 0
        var start = range.lowerBound
        for part in 0..<4 {
            var end = start
            while end < range.upperBound, text[end] != UInt8(ascii: ".") { end += 1 }
            guard let number = decimal(text, in: start..<end, digits: 3), number <= 255 else { return nil }
            value = value << 8 | UInt32(number)
            if part == 3 { return end == range.upperBound ? value : nil }
            guard end < range.upperBound else { return nil }
            start = end + 1
        }
        return nil
    }

    private static func groups(_ text: Span<UInt8>, in range: Range<Int>) -> UInt128? {
        let colon = UInt8(ascii: ":")
        let end = range.upperBound
        var index = range.lowerBound
        // The groups before `::` and their number, then the same for those after it.
        var head: (value: UInt128, count: Int)?
        var value: UInt128 = 0
        var count = 0
        if end - index >= 2, text[index] == colon, text[index + 1] == colon {
            head = (0, 0)
            index += 2
        }
        while index < end || head == nil || count > 0 {
            guard count < 8 else { return nil }
            let start = index
            guard let group = hexGroup(text, at: &index, end: end) else { return nil }
            if index < end, text[index] == UInt8(ascii: ".") {
                guard let tail = dotted(text, in: start..<end) else { return nil }
                value = value << 32 | UInt128(tail)
                count += 2
                break
            }
            value = value << 16 | UInt128(group)
            count += 1
            if index == end { break }
            guard text[index] == colon else { return nil }
            index += 1
            if index < end, text[index] == colon {
                guard head == nil else { return nil }
                head = (value, count)
                value = 0
                count = 0
                index += 1
            }
        }
        guard let head else { return count == 8 ? value : nil }
        // `::` stands for one group or more.
        guard head.count + count <= 7 else { return nil }
        return head.value << UInt128(128 - 16 * head.count) | value
    }

    private static func hexGroup(_ text: Span<UInt8>, at index: inout Int, end: Int) -> UInt16? {
        let start = index
        var value: UInt16 = 0
        while index < end {
            let digit: UInt8
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[index] - UInt8(ascii: "A") + 10
            default: return index == start ? nil : value
            }
            guard index - start < 4 else { return nil }
            value = value << 4 | UInt16(digit)
            index += 1
        }
        return index == start ? nil : value
    }
}
