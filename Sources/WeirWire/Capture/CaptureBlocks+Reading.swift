/// The parser for the records of a Name Resolution Block.
enum NameRecord {
    /// Reads one record; nil if it is too short for its address, or a name in it has no end.
    static func read(_ type: UInt16, _ range: Range<Int>, in window: RawSpan) -> CaptureNames.Record? {
        let size: Int
        switch type {
        case CaptureNames.Code.ipv4: size = 4
        case CaptureNames.Code.ipv6: size = 16
        default: return .other(type: type, bytes: window.bytes(range))
        }
        guard range.count >= size else { return nil }
        let address = window.address(range.prefix(size))
        guard let names = names(range.dropFirst(size), behind: size, in: window) else { return nil }
        return .address(address, names: names)
    }

    /// Reads names, each ended by a zero octet; as many as fit in a record once invalid UTF-8 is repaired.
    private static func names(_ range: Range<Int>, behind size: Int, in window: RawSpan) -> [String]? {
        var names: [String] = []
        var size = size
        var start = range.lowerBound
        for end in range where window.unsafeLoad(fromByteOffset: end, as: UInt8.self) == 0 {
            if size < ByteBuffer.largestOption {
                names.append(window.text(start..<end, upTo: ByteBuffer.largestOption - 1 - size))
                size += (names.last?.utf8.count ?? 0) + 1
            }
            start = end + 1
        }
        return start == range.upperBound ? names : nil
    }
}

extension CaptureNames {
    /// Stores an option in its property, or in `others`.
    mutating func read(_ option: OptionCursor.Found, _ cursor: OptionCursor, in window: RawSpan) {
        switch (option.code, option.range.count) {
        case (CommonOption.comment, _): comments.append(window.text(option.range))
        case (Code.server, _) where server == nil: server = window.text(option.range)
        case (Code.serverV4, 4), (Code.serverV6, 16): serverAddresses.append(window.address(option.range))
        default: others.append(cursor.raw(option, in: window))
        }
    }
}

extension CaptureStatistics {
    /// Stores an option that is not a time in its property, or in `others`.
    mutating func read(_ option: OptionCursor.Found, _ cursor: OptionCursor, in window: RawSpan) {
        if option.code == CommonOption.comment { return comments.append(window.text(option.range)) }
        let isKnown =
            switch option.code {
            case Code.received: count(option, cursor, in: window, &received)
            case Code.droppedByInterface: count(option, cursor, in: window, &droppedByInterface)
            case Code.accepted: count(option, cursor, in: window, &accepted)
            case Code.droppedBySystem: count(option, cursor, in: window, &droppedBySystem)
            case Code.delivered: count(option, cursor, in: window, &delivered)
            default: false
            }
        if !isKnown { others.append(cursor.raw(option, in: window)) }
    }
}

/// Reads a count; returns false if it has the wrong length, or was already read.
private func count(
    _ option: OptionCursor.Found,
    _ cursor: OptionCursor,
    in window: RawSpan,
    _ place: inout UInt64?
) -> Bool {
    guard let value = cursor.number(option, unless: place, in: window) else { return false }
    place = value
    return true
}

extension RawSpan {
    /// Loads an IP address of 4 or 16 bytes.
    ///
    /// - Precondition: The bytes are there.
    fileprivate func address(_ range: Range<Int>) -> IPAddress {
        if range.count == 4 { return IPAddress(v4: number(at: range.lowerBound, .big)) }
        return IPAddress(v6: number(at: range.lowerBound, .big), low: number(at: range.lowerBound + 8, .big))
    }
}
