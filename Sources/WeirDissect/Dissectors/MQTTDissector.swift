import WeirWire

/// A dissector of MQTT control packets, versions 3.1, 3.1.1 and 5.
///
/// Source: MQTT 3.1.1 (OASIS, 2014) sections 2 and 3, MQTT 5.0 (OASIS, 2019) sections 2 and 3.
struct MQTTDissector: Dissector {
    static let description = DissectorDescription(
        name: "mqtt",
        summary: "MQTT control packets (3.1, 3.1.1 and 5)",
        transports: [.tcp],
        ports: [1883],
        fields: [
            Fields.type, Fields.length, Fields.version, Fields.client, Fields.user, Fields.keepAlive, Fields.topic,
            Fields.willTopic, Fields.quality, Fields.requested, Fields.options, Fields.identifier, Fields.payload,
            Fields.returnCode, Fields.granted,
        ] + Fields.reasons.compactMap(\.self)
    )

    enum Fields {
        static let type = FieldName("mqtt.msgtype", "The kind of packet, from 1 (CONNECT) to 15 (AUTH)")
        static let length = FieldName("mqtt.len", "How many bytes follow the length")
        static let version = FieldName("mqtt.ver", "The protocol's level: 3, 4 (3.1.1) or 5")
        static let client = FieldName("mqtt.clientid", "The client's identifier")
        static let user = FieldName("mqtt.username", "The user's name")
        static let keepAlive = FieldName("mqtt.kalive", "The longest silence of the client, in seconds")
        static let topic = FieldName("mqtt.topic", "The topic, or the filter of a subscription")
        static let willTopic = FieldName("mqtt.willtopic", "The topic of what is published when the client is lost")
        static let quality = FieldName("mqtt.qos", "The quality of service: 0, 1 or 2")
        static let requested = FieldName("mqtt.sub.qos", "The quality of service that a subscription asks for")
        static let options = FieldName("mqtt.subscription_options_qos", "The same, in version 5")
        static let returnCode = FieldName(
            "mqtt.conack.val",
            "The answer to a CONNECT up to version 3.1.1; 0 is success",
            role: .code(errorFrom: 1)
        )
        static let granted = FieldName(
            "mqtt.suback.qos",
            "The quality that is granted up to version 3.1.1; 128 is none",
            role: .code(errorFrom: 128)
        )
        /// The reason codes of version 5, indexed by the kind of packet.
        static let reasons: [FieldName?] = [
            nil, nil,
            FieldName("mqtt.connack.reason_code", "The answer to a CONNECT; 0 is success", role: .code(errorFrom: 1)),
            nil,
            FieldName(
                "mqtt.puback.reason_code",
                "The answer to a PUBLISH of quality 1; below 128 is success",
                role: .code(errorFrom: 128)
            ),
            FieldName(
                "mqtt.pubrec.reason_code",
                "The answer to a PUBLISH of quality 2; below 128 is success",
                role: .code(errorFrom: 128)
            ),
            FieldName("mqtt.pubrel.reason_code", "The answer to a PUBREC; 0 is success", role: .code(errorFrom: 128)),
            FieldName("mqtt.pubcomp.reason_code", "The answer to a PUBREL; 0 is success", role: .code(errorFrom: 128)),
            nil,
            FieldName(
                "mqtt.suback.reason_code",
                "The quality that is granted; 128 and more is a failure",
                role: .code(errorFrom: 128)
            ), nil,
            FieldName(
                "mqtt.unsuback.reason_code",
                "The answer to an UNSUBSCRIBE; below 128 is success",
                role: .code(errorFrom: 128)
            ), nil, nil,
            FieldName(
                "mqtt.disconnect.reason_code",
                "Why the connection ends; 0 is as usual",
                role: .code(errorFrom: 128)
            ),
            FieldName("mqtt.auth.reason_code", "How the authentication goes on; 0 is success"),
        ]
        static let identifier = FieldName("mqtt.msgid", "The packet's identifier")
        static let payload = FieldName("mqtt.msg", "The message that is published")
    }

    /// The protocol level, from the client's first packet; packets have properties from 5 on.
    private var level: UInt8 = 4
    /// Whether a packet was read; later packets are MQTT, even if malformed.
    private var isKnown = false

    init() {}

    /// The maximum number of bytes that are read of a packet; the rest is skipped.
    private static let known = 4096

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let first = bytes.byte(at: 0), isFirst(first) else { return .no }
        guard first == 0x10 else { return .maybe }
        switch length(bytes) {
        case .found(let header, _):
            let (name, old) = (bytes.extracting(droppingFirst: header), bytes.byteCount >= header + 8)
            if name.has("\0\u{4}MQTT") || name.has("\0\u{6}MQIsdp") { return .yes }
            if name.agrees(with: "\0\u{4}MQTT") || name.agrees(with: "\0\u{6}MQIsdp"), !old { return .more(header + 8) }
            return .no
        case .more: return .more(bytes.byteCount + 1)
        case .wrong: return .no
        }
    }

    /// Returns whether the kind of packet and its flags agree.
    ///
    /// Source: MQTT 5.0 section 2.1.3.
    private static func isFirst(_ byte: UInt8) -> Bool {
        switch byte >> 4 {
        case 0: false
        case 3: byte & 6 != 6
        case 6, 8, 10: byte & 15 == 2
        default: byte & 15 == 0
        }
    }

    private enum Length { case found(header: Int, count: Int), more, wrong }

    /// Reads the remaining length, in 1 to 4 bytes of 7 bits.
    ///
    /// Source: MQTT 5.0 section 1.5.5.
    private static func length(_ bytes: RawSpan) -> Length {
        var count = 0
        for index in 1...4 {
            guard let byte = bytes.byte(at: index) else { return .more }
            count |= Int(byte & 127) << (7 * (index - 1))
            if byte < 128 { return .found(header: index + 1, count: count) }
        }
        return .wrong
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let first = bytes.byte(at: 0), first >> 4 > 0, isKnown || Self.isFirst(first) else { return .giveUp }
        switch Self.length(bytes) {
        case .more: return .more(bytes.byteCount + 1)
        case .wrong: return .giveUp
        case .found(let header, let count):
            let needed = header + min(count, Self.known)
            guard bytes.byteCount >= needed else { return .more(needed) }
            message.add(Fields.type, 0..<1, .number(UInt64(first >> 4)))
            message.add(Fields.length, 1..<header, .number(UInt64(count)))
            message.summary.append(Self.names[Int(first >> 4)])
            // Malformed: flags that the packet must not have, or a PUBLISH of quality 3. Source: MQTT-2.2.2-2,
            // MQTT-3.3.1-4.
            let isRead =
                Self.isFirst(first)
                && read(bytes.extracting(first: needed), header, first, of: header + count, into: &message)
            // If a packet is longer than the bytes that are read, the rest may contain what seems to be missing.
            if !isRead, count <= Self.known { message.summary.append(" (malformed)") }
            isKnown = true
            return .message(header + count)
        }
    }

    /// Reads a packet after its header; returns whether it is valid for its kind.
    private mutating func read(
        _ bytes: RawSpan,
        _ header: Int,
        _ first: UInt8,
        of total: Int,
        into message: inout DissectedMessage
    ) -> Bool {
        var at = header
        let kind = first >> 4
        switch kind {
        case 1: return connect(bytes, &at, &message)
        case 2: return accept(bytes, at, &message)
        case 3: return publish(bytes, at, first, of: total, &message)
        case 4...7:
            guard let number = bytes.number(at: at, UInt16.self) else { return false }
            identify(number, at, &message)
            if let code = bytes.byte(at: at + 2) { add(code: code, of: kind, at + 2, &message) }
            return true
        case 8, 10: return filters(bytes, &at, hasOptions: kind == 8, &message)
        case 9, 11: return codes(bytes, kind, &at, &message)
        // Source: MQTT 5.0 sections 3.12 and 3.13.
        case 12, 13: return total == header
        default:
            if let code = bytes.byte(at: at) { add(code: code, of: kind, at, &message) }
            return true
        }
    }

    /// Reads a text with its length in front, and moves past it.
    private func text(_ bytes: RawSpan, _ at: inout Int) -> Range<Int>? {
        guard let count = bytes.number(at: at, UInt16.self) else { return nil }
        let range = (at + 2)..<(at + 2 + Int(count))
        guard range.upperBound <= bytes.byteCount else { return nil }
        at = range.upperBound
        return range
    }

    /// Moves past the properties, which exist from version 5 on.
    private func skipProperties(_ bytes: RawSpan, _ at: inout Int) {
        guard level >= 5 else { return }
        var (count, shift) = (0, 0)
        while let byte = bytes.byte(at: at), shift < 28 {
            count |= Int(byte & 127) << shift
            shift += 7
            at += 1
            if byte < 128 { break }
        }
        at += count
    }

    private mutating func connect(_ bytes: RawSpan, _ at: inout Int, _ message: inout DissectedMessage) -> Bool {
        guard text(bytes, &at) != nil, let level = bytes.byte(at: at), let flags = bytes.byte(at: at + 1),
            let seconds = bytes.number(at: at + 2, UInt16.self)
        else { return false }
        self.level = level
        message.add(Fields.version, at..<(at + 1), .number(UInt64(level)))
        message.add(Fields.keepAlive, (at + 2)..<(at + 4), .number(UInt64(seconds)))
        message.summary.append(level == 5 ? " 5" : level == 4 ? " 3.1.1" : " 3.1")
        at += 4
        skipProperties(bytes, &at)
        guard let client = text(bytes, &at) else { return false }
        show(bytes, client, Fields.client, " client ", &message)
        if flags & 4 != 0 {
            skipProperties(bytes, &at)
            guard let topic = text(bytes, &at), text(bytes, &at) != nil else { return false }
            show(bytes, topic, Fields.willTopic, " will ", &message)
        }
        // The password is not a field, and is not shown.
        if flags & 0x80 != 0 {
            guard let user = text(bytes, &at) else { return false }
            show(bytes, user, Fields.user, " user ", &message)
        }
        if flags & 0x40 != 0, text(bytes, &at) == nil { return false }
        // Source: MQTT-3.1.2-3, MQTT-3.1.2-14.
        return flags & 1 == 0 && flags & 0x18 != 0x18
    }

    private func accept(_ bytes: RawSpan, _ at: Int, _ message: inout DissectedMessage) -> Bool {
        guard let flags = bytes.byte(at: at), let code = bytes.byte(at: at + 1) else { return false }
        add(code: code, of: 2, at + 1, &message)
        if flags & 1 != 0 { message.summary.append(", session present") }
        return true
    }

    private func publish(
        _ bytes: RawSpan,
        _ start: Int,
        _ first: UInt8,
        of total: Int,
        _ message: inout DissectedMessage
    ) -> Bool {
        var at = start
        guard let topic = text(bytes, &at) else { return false }
        let quality = first >> 1 & 3
        message.add(Fields.quality, 0..<1, .number(UInt64(quality)))
        show(bytes, topic, Fields.topic, " ", &message)
        if quality > 0 {
            guard let number = bytes.number(at: at, UInt16.self) else { return false }
            identify(number, at, &message)
            message.summary.append(" QoS ")
            message.summary.append(quality)
            at += 2
        }
        if first & 1 != 0 { message.summary.append(" retained") }
        if first & 8 != 0 { message.summary.append(" again") }
        skipProperties(bytes, &at)
        guard at < total else { return at == total }
        message.summary.append(", ")
        message.summary.append(bytes: total - at)
        message.summary.append(": ")
        message.add(Fields.payload, at..<total, textOf: bytes)
        message.summary.append(escaped: bytes.extracting(bytes.there(at..<total)), upTo: 64)
        return true
    }

    private func filters(
        _ bytes: RawSpan,
        _ at: inout Int,
        hasOptions: Bool,
        _ message: inout DissectedMessage
    ) -> Bool {
        guard let number = bytes.number(at: at, UInt16.self) else { return false }
        identify(number, at, &message)
        at += 2
        skipProperties(bytes, &at)
        // Source: MQTT-3.8.3-3 (at least one), MQTT-3.8.3-4 (no quality of 3).
        var (count, isRight) = (0, true)
        while let filter = text(bytes, &at) {
            count += 1
            show(bytes, filter, Fields.topic, " ", &message)
            guard hasOptions else { continue }
            guard let options = bytes.byte(at: at) else { return false }
            let name = level >= 5 ? Fields.options : Fields.requested
            message.add(name, at..<(at + 1), .number(UInt64(options & 3)))
            if options & 3 == 3 { isRight = false }
            at += 1
        }
        return isRight && count > 0 && at == bytes.byteCount
    }

    private func codes(
        _ bytes: RawSpan,
        _ kind: UInt8,
        _ at: inout Int,
        _ message: inout DissectedMessage
    ) -> Bool {
        guard let number = bytes.number(at: at, UInt16.self) else { return false }
        identify(number, at, &message)
        at += 2
        skipProperties(bytes, &at)
        while let code = bytes.byte(at: at) {
            add(code: code, of: kind, at, &message)
            at += 1
        }
        return true
    }

    private func show(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        _ name: FieldName,
        _ label: StaticString,
        _ message: inout DissectedMessage
    ) {
        message.add(name, range, textOf: bytes)
        message.summary.append(label)
        message.summary.append(escaped: bytes.extracting(bytes.there(range)), upTo: 100)
    }

    private func identify(_ number: UInt16, _ at: Int, _ message: inout DissectedMessage) {
        message.add(Fields.identifier, at..<(at + 2), .number(UInt64(number)))
        message.summary.append(" #")
        message.summary.append(number)
    }

    private func add(code: UInt8, of kind: UInt8, _ at: Int, _ message: inout DissectedMessage) {
        let old = kind == 2 ? Fields.returnCode : kind == 9 ? Fields.granted : nil
        let name = level < 5 ? old : Fields.reasons[Int(kind)]
        if let name { message.add(name, at..<(at + 1), .number(UInt64(code))) }
        message.summary.append(" code ")
        message.summary.append(code)
    }

    private static let names: [StaticString] = [
        "", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
        "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
    ]
}
