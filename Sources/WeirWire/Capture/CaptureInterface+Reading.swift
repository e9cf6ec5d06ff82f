extension CaptureReader {
    /// Reads the description of the next interface, and keeps the part that its packets need.
    mutating func readInterface(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureInterface {
        try check(block, holds: 8)
        guard interfaces.count < Self.mostInterfaces else {
            throw .malformed(.tooManyInterfaces(limit: Self.mostInterfaces), at: position)
        }
        var interface = CaptureInterface(
            bare: LinkType(rawValue: window.number(at: block.start + 8, byteOrder)),
            snapLength: window.number(at: block.start + 12, byteOrder)
        )
        try eachOption(of: block, after: 8, in: window) { option, cursor throws(CaptureFileError) in
            if try !interface.readText(option, cursor, in: window), !interface.readNumber(option, cursor, in: window) {
                interface.others.append(cursor.raw(option, in: window))
            }
        }
        interfaces.append(
            Interface(interface.linkType, snapLength: interface.snapLength, clock: interface.clock)
        )
        return interface
    }
}

extension CaptureInterface {
    /// Stores a text option in its property; returns false if it has none.
    fileprivate mutating func readText(
        _ option: OptionCursor.Found,
        _ cursor: OptionCursor,
        in window: RawSpan
    ) throws(CaptureFileError) -> Bool {
        switch option.code {
        case CommonOption.comment: comments.append(window.text(option.range))
        case Code.name where name == nil: name = window.text(option.range)
        case Code.description where description == nil: description = window.text(option.range)
        case Code.operatingSystem where operatingSystem == nil: operatingSystem = window.text(option.range)
        case Code.hardware where hardware == nil: hardware = window.text(option.range)
        case Code.filter:
            guard !option.range.isEmpty else { throw cursor.wrongLength(option) }
            guard filter == nil else { return false }
            filter = window.bytes(option.range)
        default: return false
        }
        return true
    }

    /// Stores a numeric option in its property; returns false if it has none.
    fileprivate mutating func readNumber(
        _ option: OptionCursor.Found,
        _ cursor: OptionCursor,
        in window: RawSpan
    ) -> Bool {
        let start = option.range.lowerBound
        switch (option.code, option.range.count) {
        case (Code.ipv4, 8):
            addresses.append(.v4(window.number(at: start, .big), mask: window.number(at: start + 4, .big)))
        case (Code.ipv6, 17):
            let (high, low) = (
                window.number(UInt64.self, at: start, .big), window.number(UInt64.self, at: start + 8, .big)
            )
            addresses.append(.v6(high: high, low: low, prefix: window.number(at: start + 16, .big)))
        case (Code.speed, 8) where speed == nil: speed = window.number(at: start, cursor.order)
        case (Code.resolution, 1) where resolution == nil:
            resolution = TimestampResolution(rawValue: window.number(at: start, cursor.order))
        case (Code.frameCheckLength, 1) where frameCheckLength == nil:
            frameCheckLength = window.number(at: start, cursor.order)
        case (Code.offsetSeconds, 8) where offsetSeconds == nil:
            offsetSeconds = window.number(at: start, cursor.order)
        default: return false
        }
        return true
    }
}
