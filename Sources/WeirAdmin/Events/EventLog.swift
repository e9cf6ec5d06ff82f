import Synchronization
import WeirFlow
import WeirRelay
import WeirWire

/// Keeps the last events, numbered, for whoever listens now and for whoever comes back.
///
/// It is bounded in events and in bytes; a listener that is too slow loses the oldest and is told how many. It never
/// makes the relay wait.
final class EventLog: Sendable {
    /// Holds one event.
    struct Event: Sendable {
        var id: UInt64
        var name: String
        var flow: UInt64
        var direction: Direction?
        var transport: Transport
        var path: FlowPath
        /// Holds the object, as a line of `--log` without its line feed.
        var text: [UInt8]
    }

    private struct State {
        var events: [Event] = []
        var head = 0
        var bytes = 0
        var next: UInt64 = 1
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
        var isClosed = false
        var onInterest: (@Sendable () -> Void)?
    }

    /// Keeps the ports of the flows that the events are about.
    let ports = PortBook()
    private let bound: Int
    private let byteBound: Int
    private let state = Lock(State())
    private let chunkListeners = Atomic<Int>(0)
    private let byteListeners = Atomic<Int>(0)

    init(bound: Int = 8192, bytes: Int = 8 << 20) {
        self.bound = bound
        byteBound = bytes
    }

    /// Is the relay's output that fills the log; what comes faster than it is taken is left out and counted.
    var output: SinkOutput {
        SinkOutput(name: "the stream of events", sink: EventSink(self), descriptor: -1, overflow: .drop)
    }

    /// Says what listeners want now, or have wanted lately.
    var interest: Interest {
        if byteListeners.load(ordering: .relaxed) > 0 { return .bytes }
        return chunkListeners.load(ordering: .relaxed) > 0 ? .chunks : .flows
    }

    func whenInterestChanges(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onInterest = action } }

    // MARK: - Filling

    func append(_ record: FlowRecord, name: String, text: [UInt8]) {
        append(
            Event(
                id: 0,
                name: name,
                flow: record.flow.rawValue,
                direction: record.happening.way,
                transport: record.transport,
                path: record.path,
                text: text
            )
        )
    }

    private func append(_ event: Event) {
        let listeners = state.withLock { state in
            var event = event
            event.id = state.next
            state.next += 1
            state.bytes += event.text.count
            state.events.append(event)
            while state.events.count - state.head > bound
                || (state.bytes > byteBound && state.head + 1 < state.events.count)
            {
                state.bytes -= state.events[state.head].text.count
                state.events[state.head].text = []
                state.head += 1
            }
            if state.head > 1024, state.head * 2 > state.events.count {
                state.events.removeSubrange(..<state.head)
                state.head = 0
            }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield() }
    }

    // MARK: - Listening

    /// Is a listener's place.
    struct Place: Sendable {
        let number: Int
        /// Rings when there is something new; ends with the log.
        let bell: AsyncStream<Void>
        let ring: AsyncStream<Void>.Continuation
        /// Is the number of the last event so far.
        let newest: UInt64
        let interest: Interest

        /// Says behind which event a listener begins that knows one, or none.
        ///
        /// One that has not been yet is another relay's, which had this address before: all that there is is new then.
        func start(after known: UInt64?) -> UInt64 {
            guard let known else { return newest }
            return known <= newest ? known : 0
        }
    }

    /// Listens from now on.
    ///
    /// - Parameters:
    ///   - interest: which events are wanted; no chunk is recorded that nobody wants.
    ///   - bound: how many listeners there may be.
    /// - Returns: the place, nil where there are too many.
    func listen(_ interest: Interest, bound: Int) -> Place? {
        let (bell, ring) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let place: Place? = state.withLock { state in
            guard !state.isClosed, state.listeners.count < bound else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = ring
            return Place(
                number: state.nextListener,
                bell: bell,
                ring: ring,
                newest: state.next - 1,
                interest: interest
            )
        }
        if place != nil, change(interest, by: 1) { tellInterest() }
        return place
    }

    /// Listens no more; chunks are recorded for a while longer, for a listener that comes back.
    func leave(_ place: Place) {
        state.withLock { state in
            _ = state.listeners.removeValue(forKey: place.number)
        }
        guard place.interest > .flows else { return }
        Task { [self] in
            try? await Task.sleep(for: .seconds(30))
            if change(place.interest, by: -1) { tellInterest() }
        }
    }

    private func change(_ interest: Interest, by step: Int) -> Bool {
        let before = self.interest
        switch interest {
        case .flows: break
        case .chunks: chunkListeners.add(step, ordering: .relaxed)
        case .bytes: byteListeners.add(step, ordering: .relaxed)
        }
        return before != self.interest
    }

    private func tellInterest() { state.withLock { $0.onInterest }?() }

    /// Returns the next events that are wanted.
    ///
    /// - Parameters:
    ///   - id: the last event that the listener knows.
    ///   - limit: how many at most.
    ///   - isWanted: the listener's filter.
    /// - Returns: the events, the last event that was looked at, and how many are gone already.
    func events(
        after id: UInt64,
        limit: Int,
        where isWanted: (Event) -> Bool
    ) -> (events: [Event], last: UInt64, missed: UInt64) {
        let part = state.withLock { state -> (events: [Event], missed: UInt64) in
            let live = state.events[state.head...]
            guard let first = live.first?.id, id < state.next - 1 else { return ([], 0) }
            let missed = id + 1 < first ? first - id - 1 : 0
            let skip = id >= first ? Int(id - first) + 1 : 0
            return (Array(live.dropFirst(skip).prefix(4 * limit)), missed)
        }
        var found: [Event] = []
        var last = part.events.isEmpty ? id : id + part.missed
        for event in part.events {
            last = event.id
            if isWanted(event) { found.append(event) }
            if found.count == limit { break }
        }
        return (found, last, part.missed)
    }

    /// Counts the listeners.
    var listeners: Int { state.withLock { $0.listeners.count } }

    /// Ends every stream.
    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            // It holds the relay, whose output holds this log.
            state.onInterest = nil
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
