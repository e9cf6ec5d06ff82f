extension PacketOptions {
    /// Checks the options of a packet without keeping any.
    static func check(_ range: Range<Int>, base: Int, _ order: ByteOrder, in window: RawSpan) throws(CaptureFileError) {
        var cursor = OptionCursor(range, base: base, order)
        while let option = try cursor.next(in: window) {
            let length = option.range.count
            let isRight =
                switch option.code {
                case Code.flags, Code.queue: length == 4
                case Code.dropCount, Code.packetID: length == 8
                case Code.verdict: length >= 1
                default: length >= 4 || CaptureOption.CustomCode(rawValue: option.code) == nil
                }
            guard isRight else { throw cursor.wrongLength(option) }
        }
    }

    /// Reads the options of a packet.
    init(_ range: Range<Int>, base: Int, _ order: ByteOrder, in window: RawSpan) throws(CaptureFileError) {
        self.init()
        var cursor = OptionCursor(range, base: base, order)
        while let option = try cursor.next(in: window) {
            if !read(option, cursor, in: window) { others.append(cursor.raw(option, in: window)) }
        }
    }

    /// Stores an option in its property; returns false if it has none.
    private mutating func read(_ option: OptionCursor.Found, _ cursor: OptionCursor, in window: RawSpan) -> Bool {
        switch option.code {
        case CommonOption.comment:
            comments.append(window.text(option.range))
            return true
        case Code.flags:
            guard let value = cursor.number(option, unless: flags?.rawValue, in: window) else { return false }
            flags = PacketFlags(rawValue: value)
        case Code.dropCount:
            guard let value = cursor.number(option, unless: dropCount, in: window) else { return false }
            dropCount = value
        case Code.packetID:
            guard let value = cursor.number(option, unless: packetID, in: window) else { return false }
            packetID = value
        case Code.queue:
            guard let value = cursor.number(option, unless: queue, in: window) else { return false }
            queue = value
        case Code.process:
            guard process == nil, option.range.count == 8 else { return false }
            let start = option.range.lowerBound
            process = PacketProcess(
                process: window.number(at: start, cursor.order),
                thread: window.number(at: start + 4, cursor.order)
            )
        default: return false
        }
        return true
    }
}
