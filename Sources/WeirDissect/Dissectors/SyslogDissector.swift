import WeirWire

/// A dissector of syslog messages: in datagrams, or in a stream as lines or with octet counts.
///
/// Source: RFC 5424 section 6, RFC 3164 section 4, RFC 5426, RFC 6587 section 3.4.
struct SyslogDissector: Dissector {
    static let description = DissectorDescription(
        name: "syslog",
        summary: "Syslog messages with their facility and severity",
        transports: [.udp, .tcp],
        ports: [514, 601],
        fields: [Fields.facility, Fields.level, Fields.message]
    )

    enum Fields {
        static let facility = FieldName("syslog.facility", "The part of the system that the message is of")
        static let level = FieldName("syslog.level", "How severe it is, from 0 (emergency) to 7 (debug)")
        static let message = FieldName("syslog.msg", "The message behind the priority")
    }

    /// The number of bytes of a line, for each direction, already searched for its end.
    private var scanned = [0, 0]

    init() {}

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        if start.transport == .tcp, isUnfinished(bytes) { return .more(bytes.byteCount + 1) }
        let header = start.transport == .tcp ? length(bytes)?.header ?? 0 : 0
        guard priority(bytes, at: header) != nil else { return .no }
        return start.transport == .udp || header > 0 ? .yes : .maybe
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        if place.transport == .udp { return read(bytes, 0..<bytes.byteCount, into: &message) }
        if let (header, count) = Self.length(bytes) {
            guard bytes.byteCount >= header + count else { return .more(header + count) }
            scanned[Int(place.direction.rawValue)] = 0
            return read(bytes, header..<(header + count), into: &message)
        }
        let side = Int(place.direction.rawValue)
        guard let end = bytes.find(UInt8(ascii: "\n"), from: scanned[side]) else {
            scanned[side] = bytes.byteCount
            return .more(bytes.byteCount + 1)
        }
        scanned[side] = 0
        return read(bytes, 0..<end, end: end + 1, into: &message)
    }

    mutating func lose(_ direction: Direction) { scanned[Int(direction.rawValue)] = 0 }

    private func read(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        end: Int? = nil,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let (value, start) = Self.priority(bytes, at: range.lowerBound) else { return .giveUp }
        let number = range.lowerBound..<start
        message.add(Fields.facility, number, .number(UInt64(value / 8)))
        message.add(Fields.level, number, .number(UInt64(value % 8)))
        let text = start..<max(start, range.upperBound)
        message.add(Fields.message, text, textOf: bytes)
        message.summary.append(Self.facilities[value / 8])
        message.summary.append(".")
        message.summary.append(Self.levels[value % 8])
        message.summary.append(" ")
        message.summary.append(escaped: bytes.extracting(bytes.there(text)))
        return .message(end ?? range.upperBound)
    }

    /// Reads `<34>` at an offset: the priority, and the offset of the text after it.
    private static func priority(_ bytes: RawSpan, at offset: Int) -> (value: Int, end: Int)? {
        guard bytes.byte(at: offset) == UInt8(ascii: "<") else { return nil }
        var (value, index) = (0, offset + 1)
        while let byte = bytes.byte(at: index), byte >= 0x30, byte <= 0x39, index <= offset + 3 {
            value = value * 10 + Int(byte - 0x30)
            index += 1
        }
        guard index > offset + 1, value < 192, bytes.byte(at: index) == UInt8(ascii: ">") else { return nil }
        return (value, index + 1)
    }

    /// Returns whether bytes can be the beginning of a length and a priority.
    private static func isUnfinished(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount < 12 else { return false }
        var (index, stage) = (0, 0)
        // Digits and a blank, which may be absent, then a bracket and digits.
        while let byte = bytes.byte(at: index) {
            switch (stage, byte) {
            case (0, 0x30...0x39), (2, 0x30...0x39): break
            case (0, UInt8(ascii: " ")) where index > 0: stage = 1
            case (0, UInt8(ascii: "<")) where index == 0, (1, UInt8(ascii: "<")): stage = 2
            default: return false
            }
            index += 1
        }
        return true
    }

    /// Reads the decimal length and the blank at the start of an octet-counted message.
    private static func length(_ bytes: RawSpan) -> (header: Int, count: Int)? {
        var (value, index) = (0, 0)
        while let byte = bytes.byte(at: index), byte >= 0x30, byte <= 0x39, index < 5 {
            value = value * 10 + Int(byte - 0x30)
            index += 1
        }
        guard index > 0, value > 0, bytes.byte(at: index) == UInt8(ascii: " ") else { return nil }
        return (index + 1, value)
    }

    private static let facilities: [StaticString] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]
    private static let levels: [StaticString] = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ]
}
