public import WeirWire

/// One message of a protocol, and its meaning.
public struct DissectedMessage: Sendable {
    /// The name of the protocol, as in its `DissectorDescription`.
    public internal(set) var name: StaticString = ""
    /// The direction of the message.
    public internal(set) var direction = Direction.upstream
    /// The range of its bytes, in the stream of its direction or in its datagram.
    public internal(set) var range = 0..<0
    /// The time of its first byte, in nanoseconds since 1970 UTC; nil if that is not known.
    public internal(set) var firstTime: Int64?
    /// The time of its last byte, in nanoseconds since 1970 UTC.
    public internal(set) var time: Int64?
    /// The meaning of the message in one line; safe for a terminal.
    public internal(set) var summary = MessageText()
    /// Its fields in order if they are wanted; otherwise only those that identify a flow.
    public internal(set) var fields: [MessageField] = []
    /// The number of fields for which there was no room.
    public internal(set) var fieldsLeftOut = 0
    /// Whether all of its bytes arrived.
    public internal(set) var isComplete = false
    /// The request that it answers, if it is an answer.
    public internal(set) var answer: MessageAnswer?

    /// Whether all fields are wanted.
    var wantsFields: Bool
    /// Whether it is a request or an answer; nil if neither.
    var role: Role?
    /// The reader of both directions after this message; nil if it does not change.
    var handOver: HandOver?
    /// The number of bytes before those that are being read.
    var base = 0
    /// The number of bytes that the last step depends on; nil for all bytes of the step.
    var looked: Int?
    /// Whether reading has begun.
    var isBegun = false
    /// Whether some of its bytes are missing.
    var isCut = false

    static let fieldLimit = 512
    static let valueLimit = 1024

    init(wantsFields: Bool) {
        self.wantsFields = wantsFields
    }

    /// The reader of the bytes after a message.
    enum HandOver: Sendable {
        /// This dissector.
        case to(any Dissector)
        /// The dissector that recognises the bytes.
        case unknown
    }

    /// The pairing of messages: an answer has its request's number.
    enum Role: Hashable {
        case request(UInt64)
        case answer(UInt64)
    }
}

/// A part of a message, with its place and its meaning.
public struct MessageField: Sendable {
    /// The name of the field.
    public var name: FieldName
    /// The range of its bytes, in the stream or the datagram.
    public var range: Range<Int>
    /// The meaning of the bytes.
    public var value: FieldValue
    /// Whether the value is only the beginning of the text, because the text exceeds 1,024 bytes or was not kept whole.
    public var isCut = false
}

/// The meaning of a field.
public enum FieldValue: Hashable, Sendable {
    /// A text as it was sent, with invalid UTF-8 repaired, cut after 1,024 bytes; not safe for a terminal.
    case text(String)
    /// A number.
    case number(UInt64)
    /// An address.
    case address(IPAddress)
}

extension FieldValue {
    /// Appends the value; a text from the traffic is escaped, so that it is safe for a terminal.
    public func append(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): MessageText(escaping: text).append(to: &buffer)
        case .number(let number): buffer.appendDecimal(number)
        case .address(let address): address.write(to: &buffer)
        }
    }
}

/// The request that a message answers.
public struct MessageAnswer: Hashable, Sendable {
    /// The offset of the request in the other direction's stream; 0 for a datagram.
    public var request: Int
    /// The time from the request's last byte to the answer's first, in nanoseconds; nil if either time is not known.
    public var delay: Int64?
}

extension DissectedMessage {
    /// Adds a field whose bytes are in a range of those being read.
    mutating func add(_ name: FieldName, _ range: Range<Int>, _ value: @autoclosure () -> FieldValue) {
        guard wantsFields || name.finding != nil else { return }
        guard fields.count < Self.fieldLimit else { return fieldsLeftOut &+= 1 }
        let place = (range.lowerBound &+ base)..<(range.upperBound &+ base)
        fields.append(MessageField(name: name, range: place, value: value()))
    }

    /// Adds a text field.
    mutating func add(_ name: FieldName, _ range: Range<Int>, textOf bytes: RawSpan) {
        let count = fields.count
        let kept = bytes.there(range.prefix(Self.valueLimit))
        add(name, range, .text(bytes.repairedText(kept)))
        if fields.count > count, kept.count < range.count { fields[count].isCut = true }
    }

    /// Begins a message at the next byte.
    mutating func begin(_ name: StaticString, _ direction: Direction, at offset: Int, time: Int64?) {
        self.name = name
        self.direction = direction
        range = offset..<offset
        firstTime = time
        isBegun = true
    }

    /// Resets the message.
    mutating func removeAll() {
        summary.removeAll()
        if !fields.isEmpty { fields.removeAll(keepingCapacity: fields.count <= 32) }
        fieldsLeftOut = 0
        isComplete = false
        answer = nil
        role = nil
        handOver = nil
        isBegun = false
        isCut = false
    }
}
