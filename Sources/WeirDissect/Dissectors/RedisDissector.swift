import WeirWire

/// A dissector of Redis requests and answers, in RESP 2 and RESP 3.
///
/// Source: the Redis serialization protocol specification, versions 2 and 3.
struct RedisDissector: Dissector {
    static let description = DissectorDescription(
        name: "redis",
        summary: "Redis commands and their answers (RESP 2 and 3)",
        transports: [.tcp],
        ports: [6379],
        fields: [Fields.command, Fields.argument, Fields.value, Fields.error, Fields.count]
    )

    enum Fields {
        static let command = FieldName("redis.command", "The command")
        static let argument = FieldName("redis.argument", "An argument of the command")
        static let value = FieldName("redis.value", "A value of the answer")
        static let error = FieldName("redis.error", "The error that is the answer", role: .error)
        static let count = FieldName("redis.count", "How many elements an array has")
    }

    /// The progress of reading a value.
    private struct Value {
        /// The number of elements still to come, the innermost array last.
        var remaining: [Int] = []
        /// The number of elements read of the message.
        var elements = 0
        /// The number of bytes of a line already searched for its end.
        var scanned = 0
        /// Whether the value is a push, which the server sends without a request.
        var isPush = false
    }

    private var values = [Value(), Value()]
    private var requests: UInt64 = 0
    private var answers: UInt64 = 0

    init() {}

    /// The maximum length in bytes of a line, which is a number, a short text or a command that a user typed.
    private static let longestLine = 64 << 10
    private static let deepest = 32
    private static let shown = 64

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let type = bytes.byte(at: 0) else { return .no }
        switch type {
        case UInt8(ascii: "*"):
            guard let end = bytes.find(UInt8(ascii: "\n"), in: 0..<16) else {
                return bytes.byteCount < 16 ? .more(bytes.byteCount + 1) : .no
            }
            guard number(bytes, 1..<end) != nil else { return .no }
            guard let next = bytes.byte(at: end + 1) else { return .more(end + 2) }
            return next == UInt8(ascii: "$") ? .yes : .maybe
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: "~"), UInt8(ascii: ">"):
            return .maybe
        default: return isInline(type) && start.direction == .upstream ? .maybe : .no
        }
    }

    mutating func lose(_ direction: Direction) { values[Int(direction.rawValue)] = Value() }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        let side = Int(place.direction.rawValue)
        var at = 0
        while true {
            switch element(bytes, at, side, into: &message) {
            case .message(let count):
                at += count
                // An array ends with its last element.
                while let last = values[side].remaining.last, last == 0 { values[side].remaining.removeLast() }
                guard values[side].remaining.isEmpty else {
                    if at >= bytes.byteCount { return .skip(at) }
                    continue
                }
                if !values[side].isPush { setRole(of: &message, place.direction) }
                values[side] = Value()
                return .message(at)
            case .more(let count): return at > 0 ? .skip(at) : .more(count)
            default: return .giveUp
            }
        }
    }

    private mutating func setRole(of message: inout DissectedMessage, _ direction: Direction) {
        if direction == .upstream {
            message.role = .request(requests)
            requests &+= 1
        } else if answers < requests {
            message.role = .answer(answers)
            answers &+= 1
        }
    }

    /// Reads one element: returns its size as `.message`, or the number of bytes needed.
    private mutating func element(
        _ bytes: RawSpan,
        _ at: Int,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let end = bytes.find(UInt8(ascii: "\n"), from: at + values[side].scanned) else {
            values[side].scanned = bytes.byteCount - at
            return values[side].scanned < Self.longestLine ? .more(values[side].scanned + 1) : .giveUp
        }
        let line = (at + 1)..<max(at + 1, bytes.byte(at: end - 1) == UInt8(ascii: "\r") ? end - 1 : end)
        let type = bytes.byte(at: at) ?? 0
        var count = end + 1 - at
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
            guard let length = Self.number(bytes, line), length <= 512 << 20 else { return .giveUp }
            if length >= 0 {
                let known = min(length, Self.shown)
                guard bytes.byteCount >= end + 1 + known else { return .more(count + known) }
                show(bytes, (end + 1)..<(end + 1 + known), of: length, type, side, into: &message)
                count += length + 2
            } else {
                show(bytes, line, of: nil, UInt8(ascii: "_"), side, into: &message)
            }
        case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "%"):
            guard let number = Self.number(bytes, line), values[side].remaining.count < Self.deepest else {
                return .giveUp
            }
            begin(number, type, line, side, into: &message)
            values[side].scanned = 0
            return .message(count)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "#"),
            UInt8(ascii: "("), UInt8(ascii: "_"):
            show(bytes, line, of: line.count, type, side, into: &message)
        default:
            guard Self.isInline(type), values[side].remaining.isEmpty, side == 0 else { return .giveUp }
            show(bytes, at..<line.upperBound, of: line.count + 1, UInt8(ascii: "$"), side, into: &message)
        }
        if let last = values[side].remaining.indices.last { values[side].remaining[last] -= 1 }
        values[side].scanned = 0
        return .message(count)
    }

    private mutating func begin(
        _ number: Int,
        _ type: UInt8,
        _ line: Range<Int>,
        _ side: Int,
        into message: inout DissectedMessage
    ) {
        if let last = values[side].remaining.indices.last { values[side].remaining[last] -= 1 }
        let count = max(number, 0)
        values[side].remaining.append(type == UInt8(ascii: "%") ? count &* 2 : count)
        message.add(Fields.count, line, .number(UInt64(count)))
        if values[side].remaining.count == 1 { values[side].isPush = type == UInt8(ascii: ">") }
        guard side == 1, message.summary.isEmpty else { return }
        message.summary.append(type == UInt8(ascii: ">") ? "push of " : "array of ")
        message.summary.append(count)
    }

    private mutating func show(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        of length: Int?,
        _ type: UInt8,
        _ side: Int,
        into message: inout DissectedMessage
    ) {
        let isFirst = values[side].elements == 0
        values[side].elements &+= 1
        let name = side == 0 ? (isFirst ? Fields.command : Fields.argument) : Fields.value
        message.add(type == UInt8(ascii: "-") ? Fields.error : name, range, textOf: bytes)
        guard values[side].elements <= 8 else { return }
        if !message.summary.isEmpty { message.summary.append(" ") }
        if type == UInt8(ascii: "_") { return message.summary.append("nil") }
        if type == UInt8(ascii: "-") { message.summary.append("error ") }
        message.summary.append(escaped: bytes.extracting(bytes.there(range)))
        if let length, length > range.count { message.summary.append("...") }
    }

    private static func isInline(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    /// Reads a decimal number, which may be negative; a carriage return may end it.
    private static func number(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        var range = range
        if bytes.byte(at: range.upperBound - 1) == UInt8(ascii: "\r"), !range.isEmpty { range.removeLast() }
        let isNegative = bytes.byte(at: range.lowerBound) == UInt8(ascii: "-")
        if isNegative { range = (range.lowerBound + 1)..<max(range.lowerBound + 1, range.upperBound) }
        guard !range.isEmpty, range.count <= 12 else { return nil }
        var value = 0
        for index in range {
            guard let byte = bytes.byte(at: index), byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return isNegative ? -value : value
    }
}
