import Synchronization
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// The last events, numbered, for clients that listen now and for those that reconnect.
///
/// Chunks are kept apart from the other events, so that they cannot displace those; both share one numbering. Each kind
/// is limited in events and in bytes; a listener that is too slow loses the oldest and learns how many. The log never
/// makes the relay wait.
final class EventLog: Sendable {
    /// One event.
    struct Event: Sendable {
        var id: UInt64
        var name: String
        var flow: UInt64
        var direction: Direction?
        var transport: Transport
        var path: FlowPath
        /// The object: a line of `--log` without its line feed and without a chunk's bytes.
        var text: [UInt8]
        /// The object with the chunk's bytes, for the clients that requested them; nil if none did.
        var textWithBytes: [UInt8]?
        /// What queries ask; nil if there is no record.
        var matter: EventMatter?

        /// Whether it is of a kind that comes with every chunk.
        var isChunk: Bool { EventFilter.frequent.contains(name) }
        /// The memory that it takes, in bytes.
        var size: Int { text.count + (textWithBytes?.count ?? 0) + (matter?.size ?? 0) }
    }

    private struct State {
        var flows = EventRing()
        var chunks = EventRing()
        var kinds = EventKinds()
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
        var isClosed = false
        var onInterest: (@Sendable () -> Void)?
    }

    /// A random name for this log, because numbers restart with each relay.
    let instance: String
    /// The ports of the flows of the events.
    let ports = PortBook()
    private let bound: Int
    private let byteBound: Int
    /// The time for which chunks are still recorded after their last listener has left.
    private let lingering: Duration
    private let state = Lock(State())
    private let chunkListeners = Atomic<Int>(0)
    private let byteListeners = Atomic<Int>(0)
    private let messageListeners = Atomic<Int>(0)
    private let fieldListeners = Atomic<Int>(0)

    init(bound: Int = 8192, bytes: Int = 8 << 20, lingering: Duration = .seconds(30)) {
        self.bound = bound
        byteBound = bytes
        self.lingering = lingering
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        instance = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The relay's output that fills the log; records that arrive too fast are left out and counted.
    func output(_ details: FlowDetails) -> SinkOutput {
        SinkOutput(name: "the stream of events", sink: EventSink(self, details), descriptor: -1, overflow: .drop)
    }

    /// The records that are needed for what the listeners want now, or have wanted recently.
    var interest: Interest { messages > .none ? max(dataInterest, .chunks) : dataInterest }

    /// The messages that the listeners want now, or have wanted recently.
    var messages: MessageInterest {
        if fieldListeners.load(ordering: .relaxed) > 0 { return .fields }
        return messageListeners.load(ordering: .relaxed) > 0 ? .summaries : .none
    }

    /// The interest in chunks for their own sake.
    var dataInterest: Interest {
        if byteListeners.load(ordering: .relaxed) > 0 { return .bytes }
        return chunkListeners.load(ordering: .relaxed) > 0 ? .chunks : .flows
    }

    func whenInterestChanges(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onInterest = action } }

    // MARK: - Filling

    func append(
        _ record: FlowRecord,
        name: String,
        text: [UInt8],
        textWithBytes: [UInt8]? = nil,
        matter: EventMatter? = nil
    ) {
        let listeners = state.withLock { state in
            let event = Event(
                id: state.kinds.add(isChunk: EventFilter.frequent.contains(name)),
                name: name,
                flow: record.flow.rawValue,
                direction: record.happening.direction,
                transport: record.transport,
                path: record.path,
                text: text,
                textWithBytes: textWithBytes,
                matter: matter ?? EventMatter(record: record)
            )
            if event.isChunk {
                state.chunks.append(event, bound: bound, byteBound: byteBound)
            } else {
                state.flows.append(event, bound: bound, byteBound: byteBound)
            }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield() }
    }

    // MARK: - Listening

    /// A listener's place.
    struct Place: Sendable {
        let number: Int
        /// A bell that rings when there is something new; ends with the log.
        let bell: AsyncStream<Void>
        let ring: AsyncStream<Void>.Continuation
        let interest: Interest
        let messages: MessageInterest
        /// The number of the latest event.
        let newest: UInt64
        /// The numbers of the last events of each kind that were dropped before the listener came.
        let gone: (flows: UInt64, chunks: UInt64)

        /// Returns where a listener begins, and whether the event it knows is from another relay, at the same address.
        ///
        /// After such a restart, all events are new to the listener.
        func start(_ known: EventID?, in instance: String) -> (cursor: Cursor, isRestart: Bool) {
            guard let known else { return (Cursor(last: newest), false) }
            // It knows nothing, so it has lost nothing.
            guard known != EventID(number: 0) else { return (Cursor(last: 0, gone: gone), false) }
            let isOurs = (known.instance ?? instance) == instance && known.number <= newest
            return (Cursor(last: isOurs ? known.number : 0), !isOurs)
        }
    }

    /// The position of a listener.
    struct Cursor: Sendable {
        /// The number of the last event that it has passed.
        var last: UInt64
        /// The numbers up to which a missing event of each kind is no loss.
        var gone: (flows: UInt64, chunks: UInt64) = (0, 0)
    }

    /// The number of events that a listener has lost, by kind.
    struct Loss: Sendable, Equatable {
        var flows: UInt64 = 0
        var chunks: UInt64 = 0
        /// The number of those that are too old to tell their kind.
        var unknown: UInt64 = 0

        var total: UInt64 { flows + chunks + unknown }
    }

    /// Listens from now on.
    ///
    /// - Parameters:
    ///   - interest: the events that are wanted; a chunk that no listener wants is not recorded.
    ///   - messages: the messages that are wanted.
    ///   - bound: the maximum number of listeners.
    /// - Returns: the place; nil if there are too many.
    func listen(_ interest: Interest, messages: MessageInterest = .none, bound: Int) -> Place? {
        let (bell, ring) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let place: Place? = state.withLock { state in
            guard !state.isClosed, state.listeners.count < bound else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = ring
            return Place(
                number: state.nextListener,
                bell: bell,
                ring: ring,
                interest: interest,
                messages: messages,
                newest: state.kinds.newest,
                gone: (state.flows.lastGone, state.chunks.lastGone)
            )
        }
        if let place, change(place, by: 1) { tellInterest() }
        return place
    }

    /// Stops listening; chunks are recorded a while longer, for a listener that reconnects.
    func leave(_ place: Place) {
        state.withLock { state in
            _ = state.listeners.removeValue(forKey: place.number)
        }
        guard place.interest > .flows || place.messages > .none else { return }
        Task { [self] in
            try? await Task.sleep(for: lingering)
            if change(place, by: -1) { tellInterest() }
        }
    }

    private func change(_ place: Place, by step: Int) -> Bool {
        let before = (interest, messages)
        switch place.messages {
        case .none: break
        case .summaries: messageListeners.add(step, ordering: .relaxed)
        case .fields: fieldListeners.add(step, ordering: .relaxed)
        }
        switch place.interest {
        case .flows: break
        case .chunks: chunkListeners.add(step, ordering: .relaxed)
        case .bytes: byteListeners.add(step, ordering: .relaxed)
        }
        return before != (interest, messages)
    }

    private func tellInterest() { state.withLock { $0.onInterest }?() }

    /// Returns the next events that are wanted.
    ///
    /// - Parameters:
    ///   - cursor: the position of the listener, which is advanced.
    ///   - limit: the maximum number of events.
    ///   - filter: the events that the listener wants.
    /// - Returns: the events, and the number of lost events of the wanted kinds.
    func events(_ cursor: inout Cursor, limit: Int, for filter: EventFilter) -> (events: [Event], loss: Loss) {
        let (known, bound) = (cursor.last, 4 * limit)
        let (flows, chunks, newest, gone) = state.withLock { state in
            (
                filter.readsFlows ? state.flows.events(after: known, limit: bound) : [],
                filter.readsChunks ? state.chunks.events(after: known, limit: bound) : [],
                state.kinds.newest, (flows: state.flows.lastGone, chunks: state.chunks.lastGone)
            )
        }
        guard known < newest else { return ([], Loss()) }
        let all = (flows + chunks).sorted { $0.id < $1.id }.prefix(bound)
        // After the last event of the wanted kinds there are only others.
        cursor.last = all.count < bound ? newest : all.last?.id ?? newest
        var found: [Event] = []
        for event in all where filter.reads(event) {
            found.append(event)
            guard found.count == limit else { continue }
            cursor.last = event.id
            break
        }
        let last = cursor.last
        let (flowsStart, chunksStart) = (max(known, cursor.gone.flows), max(known, cursor.gone.chunks))
        let loss = state.withLock { state in
            // The lost events of a kind are older than the remaining ones.
            var loss = Loss()
            if filter.wantsFlows {
                let count = state.kinds.count(after: flowsStart, through: min(last, gone.flows))
                (loss.flows, loss.unknown) = (count.others, count.unknown)
            }
            if filter.wantsChunks {
                let count = state.kinds.count(after: chunksStart, through: min(last, gone.chunks))
                (loss.chunks, loss.unknown) = (count.chunks, max(loss.unknown, count.unknown))
            }
            return loss
        }
        return (found, loss)
    }

    /// The number of listeners.
    var listeners: Int { state.withLock { $0.listeners.count } }

    /// Ends every stream.
    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            // The closure holds the relay, whose output holds this log.
            state.onInterest = nil
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
