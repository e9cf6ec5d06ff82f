import WeirWire

/// A dissector of WebSocket frames, after an HTTP upgrade.
///
/// Source: RFC 6455 section 5.2.
struct WebSocketDissector: Dissector {
    static let description = DissectorDescription(
        name: "websocket",
        summary: "WebSocket frames, behind an upgrade of HTTP",
        transports: [.tcp],
        ports: [],
        fields: [Fields.isFinal, Fields.opcode, Fields.isMasked, Fields.length, Fields.text, Fields.closeCode]
    )

    enum Fields {
        static let isFinal = FieldName("websocket.fin", "Whether the frame ends its message")
        static let opcode = FieldName("websocket.opcode", "The frame's kind")
        static let isMasked = FieldName("websocket.mask", "Whether the payload is masked")
        static let length = FieldName("websocket.payload_length", "The payload's length in bytes")
        static let text = FieldName("websocket.payload.text", "The beginning of a text")
        static let closeCode = FieldName(
            "websocket.payload.close.status_code",
            "Why the connection is closed",
            role: .code(errorFrom: 1002)
        )
    }

    /// The maximum number of bytes shown of a text.
    private static let shown = 128

    init() {}

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition { .no }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let first = bytes.byte(at: 0), let second = bytes.byte(at: 1) else { return .more(2) }
        let opcode = first & 0x0f
        guard let name = Self.names[opcode], first & 0x30 == 0 else { return .lost }
        let extra = second & 0x7f == 127 ? 8 : second & 0x7f == 126 ? 2 : 0
        let isMasked = second & 0x80 != 0
        let header = 2 + extra + (isMasked ? 4 : 0)
        guard bytes.byteCount >= header else { return .more(header) }
        var length = Int(second & 0x7f)
        if extra == 2 { length = Int(bytes.number(at: 2, UInt16.self) ?? 0) }
        if extra == 8 {
            guard let long = bytes.number(at: 2, UInt64.self), long <= 1 << 60 else { return .lost }
            length = Int(long)
        }
        // Control frames are short and not fragmented. Source: RFC 6455 section 5.5.
        if opcode >= 8, length > 125 || first & 0x80 == 0 { return .lost }
        let known = min(length, Self.shown)
        guard bytes.byteCount >= header + known else { return .more(header + known) }
        message.add(Fields.isFinal, 0..<1, .number(UInt64(first >> 7)))
        message.add(Fields.opcode, 0..<1, .number(UInt64(opcode)))
        message.add(Fields.isMasked, 1..<2, .number(UInt64(second >> 7)))
        message.add(Fields.length, 1..<(2 + extra), .number(UInt64(length)))
        message.summary.append(name)
        if first & 0x80 == 0 { message.summary.append(" (more follows)") }
        let isCompressed = first & 0x40 != 0
        if isCompressed { message.summary.append(" compressed") }
        let range = header..<(header + known)
        let payload = Self.unmasked(bytes, range, isMasked ? (header - 4)..<header : nil)
        show(payload, isCompressed ? 0xff : opcode, range, of: length, into: &message)
        message.looked = range.upperBound
        return .message(header + length)
    }

    private func show(
        _ payload: [UInt8],
        _ opcode: UInt8,
        _ range: Range<Int>,
        of length: Int,
        into message: inout DissectedMessage
    ) {
        message.summary.append(", ")
        message.summary.append(bytes: length)
        if opcode == 1, !payload.isEmpty {
            message.add(Fields.text, range, .text(String(decoding: payload, as: UTF8.self)))
            message.summary.append(": ")
            message.summary.append(escaped: payload.span.bytes)
            if length > payload.count { message.summary.append("...") }
        } else if opcode == 8, let code = payload.span.bytes.number(at: 0, UInt16.self) {
            message.add(Fields.closeCode, range.prefix(2), .number(UInt64(code)))
            message.summary.append(": ")
            message.summary.append(code)
            message.summary.append(" ")
            message.summary.append(escaped: payload.span.bytes.extracting(droppingFirst: 2))
        }
    }

    /// Source: RFC 6455 section 5.3.
    private static func unmasked(_ bytes: RawSpan, _ range: Range<Int>, _ key: Range<Int>?) -> [UInt8] {
        var payload = bytes.bytes(range)
        guard let key else { return payload }
        for index in payload.indices { payload[index] ^= bytes.byte(at: key.lowerBound + index % 4) ?? 0 }
        return payload
    }

    private static let names: [UInt8: StaticString] = [
        0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong",
    ]
}
