import WeirWire

/// A message while it is read, and what its dissector and the pairing of requests need besides.
struct DissectedMessage: Sendable {
    /// The message as far as it was read.
    var content = Message()

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
        /// It precedes the answer, and is its beginning.
        case part(UInt64)
        case answer(UInt64)
    }
}

// The dissectors write into the message in place.
extension DissectedMessage {
    var name: StaticString {
        @inline(__always) _read { yield content.name }
        @inline(__always) _modify { yield &content.name }
    }
    var direction: Direction {
        @inline(__always) _read { yield content.direction }
        @inline(__always) _modify { yield &content.direction }
    }
    var range: Range<Int> {
        @inline(__always) _read { yield content.range }
        @inline(__always) _modify { yield &content.range }
    }
    var firstTime: Int64? {
        @inline(__always) _read { yield content.firstTime }
        @inline(__always) _modify { yield &content.firstTime }
    }
    var time: Int64? {
        @inline(__always) _read { yield content.time }
        @inline(__always) _modify { yield &content.time }
    }
    var summary: MessageText {
        @inline(__always) _read { yield content.summary }
        @inline(__always) _modify { yield &content.summary }
    }
    var fields: [MessageField] {
        @inline(__always) _read { yield content.fields }
        @inline(__always) _modify { yield &content.fields }
    }
    var fieldsLeftOut: Int {
        @inline(__always) _read { yield content.fieldsLeftOut }
        @inline(__always) _modify { yield &content.fieldsLeftOut }
    }
    var isComplete: Bool {
        @inline(__always) _read { yield content.isComplete }
        @inline(__always) _modify { yield &content.isComplete }
    }
    var answer: MessageAnswer? {
        @inline(__always) _read { yield content.answer }
        @inline(__always) _modify { yield &content.answer }
    }
}

extension DissectedMessage {
    /// Adds a field whose bytes are in a range of those being read.
    mutating func add(_ name: FieldName, _ range: Range<Int>, _ value: @autoclosure () -> FieldValue) {
        let isFact = MessageFacts.has(name)
        guard wantsFields || isFact else { return }
        let value = value()
        if isFact { content.facts.note(name, value) }
        guard wantsFields || name.finding != nil else { return }
        guard fields.count < Self.fieldLimit else { return fieldsLeftOut &+= 1 }
        let place = (range.lowerBound &+ base)..<(range.upperBound &+ base)
        fields.append(MessageField(name: name, range: place, value: value))
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
        content.facts = MessageFacts()
        fieldsLeftOut = 0
        isComplete = false
        answer = nil
        content.isRequest = false
        role = nil
        handOver = nil
        isBegun = false
        isCut = false
    }
}
