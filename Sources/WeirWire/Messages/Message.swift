/// One message of a protocol, and its meaning.
public struct Message: Sendable {
    /// The name of the protocol, as in its `DissectorDescription`.
    public package(set) var name: StaticString = ""
    /// The direction of the message.
    public package(set) var direction = Direction.upstream
    /// The range of its bytes, in the stream of its direction or in its datagram.
    public package(set) var range = 0..<0
    /// The time of its first byte, in nanoseconds since 1970 UTC; nil if that is not known.
    public package(set) var firstTime: Int64?
    /// The time of its last byte, in nanoseconds since 1970 UTC.
    public package(set) var time: Int64?
    /// The meaning of the message in one line; safe for a terminal.
    public package(set) var summary = MessageText()
    /// Its fields in order if they are wanted; otherwise only those that identify a flow.
    public package(set) var fields: [MessageField] = []
    /// What queries ask of it, also if its fields are not wanted.
    public package(set) var facts = MessageFacts()
    /// The number of fields for which there was no room.
    public package(set) var fieldsLeftOut = 0
    /// Whether all of its bytes arrived.
    public package(set) var isComplete = false
    /// The request that it answers, if it is an answer.
    public package(set) var answer: MessageAnswer?
    /// Whether an answer is expected.
    public package(set) var isRequest = false
    /// Whether its bytes were encrypted in the stream.
    public package(set) var isDecrypted = false
    /// Whether the message goes on in the next chunk: its fields so far, for a dump of this one.
    public package(set) var isUnfinished = false

    /// A hash of its bytes, for messages of a flow that Weir recorded; nil if not all of them are known.
    package var digest: UInt64?

    package init() {}

    /// Whether it stands for bytes of which it is not known yet whether they begin a message: they wait for further ones.
    package var isUndecided: Bool { isUnfinished && name.utf8CodeUnitCount == 0 }

    /// A message of nothing.
    package static let empty = Message()

    /// The memory of the message, in bytes, roughly.
    package var cost: Int {
        var cost = 512 + summary.utf8.count + fields.count * MemoryLayout<MessageField>.stride
        for case .text(let text) in fields.lazy.map(\.value) { cost += text.utf8.count }
        for text in [facts.target, facts.host, facts.serverName] { cost += text?.utf8.count ?? 0 }
        return cost
    }
}

extension Message: Hashable {
    /// Returns whether two messages are of the same place and say the same.
    public static func == (left: Message, right: Message) -> Bool {
        left.direction == right.direction && left.range == right.range && left.time == right.time
            && left.isComplete == right.isComplete && left.isUnfinished == right.isUnfinished
            && left.answer == right.answer && left.summary == right.summary
            && left.name.description == right.name.description
    }

    /// Hashes the message's place.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(direction)
        hasher.combine(range)
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

    package init(name: FieldName, range: Range<Int>, value: FieldValue) {
        self.name = name
        self.range = range
        self.value = value
    }
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

    package init(request: Int, delay: Int64? = nil) {
        self.request = request
        self.delay = delay
    }
}
