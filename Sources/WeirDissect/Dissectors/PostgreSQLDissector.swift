import WeirWire

/// A dissector of PostgreSQL start-ups and messages, protocol version 3.
///
/// Source: PostgreSQL 15 documentation, chapter 55, "Message Formats".
struct PostgreSQLDissector: Dissector {
    static let description = DissectorDescription(
        name: "postgresql",
        summary: "PostgreSQL start-up and messages (protocol 3)",
        transports: [.tcp],
        ports: [5432],
        fields: [
            Fields.type, Fields.length, Fields.parameterName, Fields.parameterValue, Fields.query, Fields.statement,
            Fields.portal, Fields.authentication, Fields.column, Fields.value, Fields.tag, Fields.status,
            Fields.severity, Fields.code, Fields.message,
        ]
    )

    enum Fields {
        static let type = FieldName("pgsql.type", "The kind of message, a letter")
        static let length = FieldName("pgsql.length", "How many bytes follow the letter, the length's own among them")
        static let parameterName = FieldName("pgsql.parameter_name", "The name of a setting of the session")
        static let parameterValue = FieldName("pgsql.parameter_value", "The setting's value")
        static let query = FieldName("pgsql.query", "A query in SQL")
        static let statement = FieldName("pgsql.statement", "The name of a prepared statement")
        static let portal = FieldName("pgsql.portal", "The name of a portal, which is a statement with its parameters")
        static let authentication = FieldName("pgsql.authtype", "How the client is to say who it is; 0 is done")
        static let column = FieldName("pgsql.col.name", "The name of a column")
        static let value = FieldName("pgsql.val.data", "The value of a column")
        static let tag = FieldName("pgsql.tag", "What a command has done")
        static let status = FieldName("pgsql.status", "I: idle, T: in a transaction, E: in one that has failed")
        static let severity = FieldName("pgsql.severity", "How severe an error or a notice is")
        static let code = FieldName("pgsql.code", "The error's SQLSTATE", role: .sqlState)
        static let message = FieldName("pgsql.message", "What an error or a notice says")
    }

    /// Whether the server's next byte answers a request for encryption.
    private var awaitsEncryption = false
    private var pairing = PostgreSQLPairing()

    init() {}

    /// The maximum number of bytes that are read of a message; the rest is skipped.
    static let known = 4096
    /// The maximum length of the start-up message in bytes, the same as the server's.
    private static let longestStart = 10_000

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let first = bytes.byte(at: 0) else { return .no }
        if first == 0 {
            guard start.direction == .upstream else { return .no }
            guard let length = bytes.number(at: 0, UInt32.self) else {
                return start.hasPort || bytes.byte(at: 1) ?? 0 == 0 ? .more(4) : .no
            }
            guard length >= 8, length <= longestStart else { return .no }
            guard let code = bytes.number(at: 4, UInt32.self) else { return .more(8) }
            return isStart(code, Int(length)) ? .yes : .no
        }
        let letters = start.direction == .upstream ? PostgreSQLMessages.frontend : PostgreSQLMessages.backend
        guard letters[first] != nil else { return .no }
        // Includes the one byte that answers a request for encryption.
        guard let length = bytes.number(at: 1, UInt32.self) else { return .maybe }
        return length >= 4 && length < 1 << 30 ? .maybe : .no
    }

    /// Returns whether a code asks for a session, for encryption, or for a cancellation.
    private static func isStart(_ code: UInt32, _ length: Int) -> Bool {
        switch code {
        case 80_877_103, 80_877_104: length == 8
        case 80_877_102: length >= 16
        default: code >> 16 == 3 && code & 0xffff < 100
        }
    }

    mutating func lose(_ direction: Direction) {
        awaitsEncryption = false
        pairing.lose()
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let first = bytes.byte(at: 0) else { return .more(1) }
        let isUp = place.direction == .upstream
        if isUp, first == 0 { return start(bytes, into: &message) }
        if !isUp, awaitsEncryption {
            awaitsEncryption = false
            switch first {
            case UInt8(ascii: "N"): message.summary.append("no encryption")
            case UInt8(ascii: "S"), UInt8(ascii: "G"):
                message.summary.append("encryption follows")
                message.handOver = .unknown
            default: return .giveUp
            }
            message.add(Fields.type, 0..<1, textOf: bytes)
            return .message(1)
        }
        guard let name = (isUp ? PostgreSQLMessages.frontend : PostgreSQLMessages.backend)[first] else {
            return .giveUp
        }
        guard let length = bytes.number(at: 1, UInt32.self) else { return .more(5) }
        guard length >= 4, length < 1 << 30 else { return .giveUp }
        let total = Int(length) + 1
        let needed = min(total, Self.known)
        guard bytes.byteCount >= needed else { return .more(needed) }
        message.add(Fields.type, 0..<1, textOf: bytes)
        message.add(Fields.length, 1..<5, .number(UInt64(length)))
        message.summary.append(name)
        var reader = PostgreSQLMessages(total: total)
        reader.read(first, isUp, bytes.extracting(first: needed), into: &message)
        message.role = isUp ? pairing.ask(first) : pairing.answer(first)
        return .message(total)
    }

    /// Reads a message without a type byte, which only the client sends, and first.
    private mutating func start(_ bytes: RawSpan, into message: inout DissectedMessage) -> DissectionStep {
        guard let length = bytes.number(at: 0, UInt32.self), let code = bytes.number(at: 4, UInt32.self) else {
            return .more(8)
        }
        guard length >= 8, length <= Self.longestStart, Self.isStart(code, Int(length)) else { return .giveUp }
        guard bytes.byteCount >= Int(length) else { return .more(Int(length)) }
        message.add(Fields.length, 0..<4, .number(UInt64(length)))
        switch code {
        case 80_877_103, 80_877_104:
            awaitsEncryption = true
            message.summary.append(code == 80_877_103 ? "TLS request" : "GSSAPI request")
        case 80_877_102:
            // After the process id there is a secret.
            message.summary.append("cancel request for process ")
            message.summary.append(bytes.number(at: 8, UInt32.self) ?? 0)
        default:
            message.summary.append("start-up, version ")
            message.summary.append(code >> 16)
            message.summary.append(".")
            message.summary.append(code & 0xffff)
            var reader = PostgreSQLMessages(total: Int(length))
            reader.at = 8
            let part = bytes.extracting(first: Int(length))
            while reader.parameter(part, ", ", into: &message) {}
            message.role = pairing.start()
        }
        return .message(Int(length))
    }
}
