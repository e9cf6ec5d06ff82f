import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirWire

/// What a query has to know of an event besides its text.
struct EventMatter: Sendable {
    var record: FlowRecord
    /// The bytes of its chunk, if somebody wants them.
    var bytes: [UInt8] = []
    /// The messages that end in it, or that go on after it, if somebody asks for them; their own events are others.
    var messages: [FlowRecord] = []
    /// The process of the client, with the event that opens a flow.
    var process: ProcessAnswer?

    /// The memory that it takes, in bytes, besides the record.
    var size: Int {
        messages.reduce(bytes.count) { sum, record in
            if case .message(let message) = record.happening { return sum + message.fields.count * 64 + 512 }
            return sum
        }
    }
}

/// The choice of the events that fit a query, for one client.
///
/// A message fits, or does not, together with its chunk, whose event comes before its own. A request that fits because of its
/// answer comes late, before the answer. If the query asks only for flows, messages are not read for it: each fits if its flow
/// does.
struct EventQuery: Sendable {
    /// An event to send.
    struct Chosen: Sendable {
        var event: EventLog.Event
        /// Whether it is older than events that were sent already.
        var isLate = false
    }

    /// The place of an event, whose message is judged before the event itself comes.
    private final class Box: Sendable {
        struct State {
            var event: EventLog.Event?
            var fits = false
        }

        let message: Message
        let state: Lock<State>

        init(_ message: Message, _ event: EventLog.Event? = nil) {
            self.message = message
            state = Lock(State(event: event))
        }
    }

    private var query: LiveQuery<Box>
    /// Whether the query asks for messages or bytes, so that the event of a chunk has its messages.
    private let readsMessages: Bool
    private var expected: [UInt64: [Box]] = [:]
    /// The events of messages that come before those that end them, as at the end of a flow.
    private var early: [UInt64: [EventLog.Event]] = [:]
    private static let most = 256

    init(_ query: FlowQuery, proxy: @escaping @Sendable (Transport, Endpoint) -> String?) {
        self.query = LiveQuery(query, proxy: proxy)
        readsMessages = query.asksForMessages
    }

    /// Takes the next event, and returns those to send.
    mutating func take(_ event: EventLog.Event) -> [Chosen] {
        guard let matter = event.matter else { return [] }
        var record = matter.record
        if case .message(let message) = record.happening {
            if readsMessages { return take(event, message) }
            record = Self.emptyChunk(of: record, message.direction)
        }
        var chosen: [Chosen] = []
        if readsMessages { for message in matter.messages { judge(message, event.flow, &chosen) } }
        let own = Box(Message.empty, event)
        let bytes = matter.bytes
        let fits = query.take(
            record,
            bytes.span.bytes,
            process: { matter.process },
            keep: { (own, event.size) },
            show: { Self.show($0, &chosen) }
        )
        if fits { chosen.append(Chosen(event: event)) }
        if case .closed = matter.record.happening {
            expected[event.flow] = nil
            early[event.flow] = nil
        }
        return chosen
    }

    /// Returns a chunk without bytes at the place of a message: it fits if the flow does, and changes nothing of the flow.
    private static func emptyChunk(of message: FlowRecord, _ direction: Direction) -> FlowRecord {
        let chunk = ChunkRecord(
            direction: direction,
            number: 0,
            offset: 0,
            length: 0,
            receivedAt: message.moment.instant
        )
        return FlowRecord(of: message.subject, moment: message.moment, happening: .forwarded(chunk))
    }

    /// Judges a message, whose own event comes later, or came already.
    private mutating func judge(_ record: FlowRecord, _ flow: UInt64, _ chosen: inout [Chosen]) {
        guard case .message(let message) = record.happening else { return }
        let box = Box(message)
        if !message.isUnfinished {
            if let index = early[flow]?.firstIndex(where: { $0.isOf(message) }) {
                box.state.withLock { $0.event = early[flow]?.remove(at: index) }
            } else if expected[flow, default: []].count < Self.most {
                expected[flow, default: []].append(box)
            }
        }
        var found: [Chosen] = []
        let fits = query.take(
            record,
            RawSpan(),
            process: { nil },
            keep: { (box, message.fields.count * 64 + 512) },
            show: { Self.show($0, &found) }
        )
        if fits { Self.show(box, &found) }
        chosen += found
    }

    /// Takes the event of a message.
    private mutating func take(_ event: EventLog.Event, _ message: Message) -> [Chosen] {
        guard let index = expected[event.flow]?.firstIndex(where: { $0.message == message }) else {
            if early[event.flow, default: []].count < Self.most { early[event.flow, default: []].append(event) }
            return []
        }
        // Those before it were lost.
        let box = expected[event.flow]?[index]
        expected[event.flow]?.removeFirst(index + 1)
        if expected[event.flow]?.isEmpty == true { expected[event.flow] = nil }
        let fits = box?.state.withLock { state in
            state.event = event
            return state.fits
        }
        return fits == true ? [Chosen(event: event)] : []
    }

    /// Sends what a box has; if its event is still to come, notes that it fits.
    private static func show(_ box: Box, _ chosen: inout [Chosen]) {
        let event = box.state.withLock { state in
            state.fits = true
            return state.event
        }
        if let event { chosen.append(Chosen(event: event, isLate: true)) }
    }
}

extension EventLog.Event {
    /// Returns whether it is that of a message.
    fileprivate func isOf(_ message: Message) -> Bool {
        if case .message(let own)? = matter?.record.happening { return own == message }
        return false
    }
}
