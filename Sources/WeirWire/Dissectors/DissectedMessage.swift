/// Says what the bytes of one message mean.
public struct DissectedMessage: Sendable {
    /// Names the protocol, as its `DissectorDescription` does.
    public internal(set) var name: StaticString = ""
    /// Says which way the message goes.
    public internal(set) var direction = Direction.upstream
    /// Says where its bytes are: in the stream of its direction, or in its datagram.
    public internal(set) var range = 0..<0
    /// Holds when its first byte came, in nanoseconds since 1970 UTC; nil where that is not known.
    public internal(set) var firstTime: Int64?
    /// Holds when its last byte came.
    public internal(set) var time: Int64?
    /// Says in a line what it means; safe for a terminal.
    public internal(set) var summary = MessageText()
    /// Lists its fields in their order, if they are wanted; otherwise those alone by which a flow is known.
    public internal(set) var fields: [MessageField] = []
    /// Counts the fields for which there was no place.
    public internal(set) var fieldsLeftOut = 0
    /// Says that all of its bytes came.
    public internal(set) var isComplete = false
    /// Says which request it answers, if it does.
    public internal(set) var answer: MessageAnswer?

    /// Says that all fields are wanted.
    var wantsFields: Bool
    /// Says whether it asks or answers.
    var role: Role?
    /// Says who reads both directions behind this message; nil where nothing changes.
    var handOver: HandOver?
    /// Counts the bytes before those that are read.
    var base = 0
    /// Counts the bytes that the last step depends on; nil where that is all that it goes over.
    var looked: Int?
    /// Says that reading has begun.
    var isBegun = false
    /// Says that bytes of it are missing.
    var isCut = false

    static let fieldLimit = 512
    static let valueLimit = 1024

    init(wantsFields: Bool) {
        self.wantsFields = wantsFields
    }

    /// Says who reads what follows.
    enum HandOver: Sendable {
        /// This dissector does.
        case to(any Dissector)
        /// What it looks like says who does.
        case unknown
    }

    /// Says which messages belong together: an answer has its request's number.
    enum Role: Hashable {
        case request(UInt64)
        case answer(UInt64)
    }
}

/// Says where a part of a message is, and what it means.
public struct MessageField: Sendable {
    /// Names the field.
    public var name: FieldName
    /// Says where its bytes are, in the stream or the datagram.
    public var range: Range<Int>
    /// Says what they mean.
    public var value: FieldValue
    /// Whether the value is the beginning of the text alone, as that is longer than 1,024 bytes or was not kept whole.
    public var isCut = false
}

/// Holds what a field means.
public enum FieldValue: Hashable, Sendable {
    /// Is a text, as it was sent, wrong UTF-8 repaired, cut after 1,024 bytes; it is not safe for a terminal.
    case text(String)
    /// Is a number.
    case number(UInt64)
    /// Is an address.
    case address(IPAddress)
}

extension FieldValue {
    /// Appends the value, escaped where it is of the traffic, so that it is safe for a terminal.
    public func append(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): MessageText(escaping: text).append(to: &buffer)
        case .number(let number): buffer.appendDecimal(number)
        case .address(let address): address.write(to: &buffer)
        }
    }
}

/// Says which request a message answers.
public struct MessageAnswer: Hashable, Sendable {
    /// Says where the request begins in the other direction's stream; 0 for a datagram.
    public var request: Int
    /// Counts the nanoseconds from the request's last byte to the answer's first; nil where a time is not known.
    public var delay: Int64?
}

extension DissectedMessage {
    /// Adds a field whose bytes are in a range of those that are being read.
    mutating func add(_ name: FieldName, _ range: Range<Int>, _ value: @autoclosure () -> FieldValue) {
        guard wantsFields || name.finding != nil else { return }
        guard fields.count < Self.fieldLimit else { return fieldsLeftOut &+= 1 }
        let place = (range.lowerBound &+ base)..<(range.upperBound &+ base)
        fields.append(MessageField(name: name, range: place, value: value()))
    }

    /// Adds a field that is a text.
    mutating func add(_ name: FieldName, _ range: Range<Int>, textOf bytes: RawSpan) {
        let count = fields.count
        let kept = bytes.there(range.prefix(Self.valueLimit))
        add(name, range, .text(bytes.repairedText(kept)))
        if fields.count > count, kept.count < range.count { fields[count].isCut = true }
    }

    /// Begins a message with the next byte.
    mutating func begin(_ name: StaticString, _ direction: Direction, at offset: Int, time: Int64?) {
        self.name = name
        self.direction = direction
        range = offset..<offset
        firstTime = time
        isBegun = true
    }

    /// Forgets everything of a message.
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
