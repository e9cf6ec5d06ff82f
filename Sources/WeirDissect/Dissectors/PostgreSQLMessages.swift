import WeirWire
/// A reader of the contents of one PostgreSQL message, as far as they are there.
///
/// A password, a secret of SASL or a cancellation key is never a field and is never shown.
struct PostgreSQLMessages {
    private typealias Fields = PostgreSQLDissector.Fields
    /// The current offset.
    var at = 5
    /// The length of the message in bytes, which may exceed the available bytes.
    let total: Int

    init(total: Int) {
        self.total = total
    }

    /// The messages of the client.
    static let frontend = Letters([
        ("Q", "query"), ("P", "parse"), ("B", "bind"), ("E", "execute"), ("D", "describe"), ("C", "close"),
        ("S", "sync"), ("H", "flush"), ("X", "terminate"), ("F", "function call"), ("p", "password or SASL response"),
        ("d", "copy data"), ("c", "copy done"), ("f", "copy failed"),
    ])

    /// The messages of the server.
    static let backend = Letters([
        ("R", "authentication"), ("S", "parameter"), ("K", "backend key, process"), ("Z", "ready"), ("T", "columns"),
        ("D", "row"), ("C", "done"), ("E", "error"), ("N", "notice"), ("1", "parse complete"),
        ("2", "bind complete"), ("3", "close complete"), ("n", "no data"), ("t", "parameters"), ("I", "empty query"),
        ("s", "portal suspended"), ("G", "copy in"), ("H", "copy out"), ("W", "copy both"), ("d", "copy data"),
        ("c", "copy done"), ("A", "notification"), ("v", "protocol version"), ("V", "function result"),
    ])

    /// A map from a message's type byte to its name.
    struct Letters: Sendable {
        private var names: [StaticString?] = Array(repeating: nil, count: 256)

        init(_ letters: [(Unicode.Scalar, StaticString)]) {
            for (letter, name) in letters { names[Int(letter.value & 255)] = name }
        }

        subscript(letter: UInt8) -> StaticString? { names[Int(letter)] }
    }

    /// Reads the contents after the length.
    mutating func read(_ letter: UInt8, _ isUp: Bool, _ bytes: RawSpan, into message: inout DissectedMessage) {
        switch (Unicode.Scalar(letter), isUp) {
        case ("Q", true): text(bytes, Fields.query, into: &message)
        case ("P", true):
            text(bytes, Fields.statement, into: &message)
            text(bytes, Fields.query, into: &message)
        case ("B", true):
            text(bytes, Fields.portal, into: &message)
            text(bytes, Fields.statement, into: &message)
        case ("E", true): text(bytes, Fields.portal, into: &message)
        case ("D", true), ("C", true):
            let isStatement = bytes.byte(at: at) == UInt8(ascii: "S")
            message.summary.append(isStatement ? " statement" : " portal")
            at += 1
            text(bytes, isStatement ? Fields.statement : Fields.portal, into: &message)
        case ("d", _):
            message.summary.append(", ")
            message.summary.append(bytes: total - at)
        case ("f", true): text(bytes, Fields.message, into: &message)
        case (_, true): break
        default: readAnswer(letter, bytes, into: &message)
        }
    }

    private mutating func readAnswer(_ letter: UInt8, _ bytes: RawSpan, into message: inout DissectedMessage) {
        switch Unicode.Scalar(letter) {
        case "R": authentication(bytes, into: &message)
        case "S": _ = parameter(bytes, " ", into: &message)
        case "K":
            message.summary.append(" ")
            message.summary.append(bytes.number(at: at, UInt32.self) ?? 0)
        case "Z":
            message.add(Fields.status, at..<(at + 1), textOf: bytes)
            switch bytes.byte(at: at) {
            case UInt8(ascii: "I"): message.summary.append(", idle")
            case UInt8(ascii: "T"): message.summary.append(", in a transaction")
            default: message.summary.append(", in a transaction that failed")
            }
        case "T": columns(bytes, into: &message)
        case "D": row(bytes, into: &message)
        case "C": text(bytes, Fields.tag, into: &message)
        case "E", "N": report(bytes, into: &message)
        default: break
        }
    }

    /// Reads a name and a value; returns false if there is no more.
    mutating func parameter(
        _ bytes: RawSpan,
        _ label: StaticString,
        into message: inout DissectedMessage
    ) -> Bool {
        guard let name = string(bytes), !name.isEmpty, let value = string(bytes) else { return false }
        message.add(Fields.parameterName, name, textOf: bytes)
        message.add(Fields.parameterValue, value, textOf: bytes)
        message.summary.append(label)
        message.summary.append(escaped: bytes.extracting(name), upTo: 60)
        message.summary.append(" ")
        message.summary.append(escaped: bytes.extracting(value), upTo: 60)
        return true
    }

    private mutating func authentication(_ bytes: RawSpan, into message: inout DissectedMessage) {
        guard let kind = bytes.number(at: at, UInt32.self) else { return }
        message.add(Fields.authentication, at..<(at + 4), .number(UInt64(kind)))
        at += 4
        switch kind {
        case 0: message.summary.append(" done")
        case 3: message.summary.append(" by password")
        case 5: message.summary.append(" by MD5")
        case 10:
            message.summary.append(" by SASL")
            while let name = string(bytes), !name.isEmpty {
                message.summary.append(" ")
                message.summary.append(escaped: bytes.extracting(name), upTo: 60)
            }
        case 11: message.summary.append(", SASL goes on")
        case 12: message.summary.append(", SASL ends")
        default:
            message.summary.append(", kind ")
            message.summary.append(kind)
        }
    }

    private mutating func columns(_ bytes: RawSpan, into message: inout DissectedMessage) {
        guard let count = bytes.number(at: at, UInt16.self) else { return }
        at += 2
        for index in 0..<Int(count) {
            guard let name = string(bytes) else { return }
            message.add(Fields.column, name, textOf: bytes)
            message.summary.append(index == 0 ? " " : ", ")
            message.summary.append(escaped: bytes.extracting(name), upTo: 60)
            at += 18
        }
    }

    private mutating func row(_ bytes: RawSpan, into message: inout DissectedMessage) {
        guard let count = bytes.number(at: at, UInt16.self) else { return }
        at += 2
        for index in 0..<Int(count) {
            guard let length = bytes.number(at: at, Int32.self) else { return }
            let value = (at + 4)..<(at + 4 + Int(max(length, 0)))
            message.summary.append(index == 0 ? " " : ", ")
            if length < 0 { message.summary.append("null") }
            message.add(Fields.value, value, textOf: bytes)
            message.summary.append(escaped: bytes.extracting(bytes.there(value)), upTo: 60)
            at = value.upperBound
        }
    }

    /// Reads an error or a notice: texts, each after a letter for its kind.
    private mutating func report(_ bytes: RawSpan, into message: inout DissectedMessage) {
        while let letter = bytes.byte(at: at), letter != 0 {
            at += 1
            guard let text = string(bytes) else { return }
            let name: FieldName
            switch Unicode.Scalar(letter) {
            case "S": name = Fields.severity
            case "C": name = Fields.code
            case "M": name = Fields.message
            default: continue
            }
            message.add(name, text, textOf: bytes)
            message.summary.append(" ")
            message.summary.append(escaped: bytes.extracting(text))
        }
    }

    /// Reads a text, and appends it to the summary unless it is empty.
    private mutating func text(_ bytes: RawSpan, _ name: FieldName, into message: inout DissectedMessage) {
        let start = at
        // A query that is longer than the bytes that are read is shown as far as it goes.
        let range = string(bytes) ?? start..<max(start, bytes.byteCount)
        guard !range.isEmpty else { return }
        message.add(name, range, textOf: bytes)
        message.summary.append(" ")
        message.summary.append(escaped: bytes.extracting(bytes.there(range)))
    }

    /// Finds a text that ends with a zero, and moves past it.
    private mutating func string(_ bytes: RawSpan) -> Range<Int>? {
        guard at <= bytes.byteCount, let end = bytes.find(0, in: at..<bytes.byteCount) else {
            at = bytes.byteCount
            return nil
        }
        defer { at = end + 1 }
        return at..<end
    }
}
