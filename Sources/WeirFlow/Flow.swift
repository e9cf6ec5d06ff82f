public import WeirWire

/// Is one client's conversation over a route, as a state machine: events in, actions out.
///
/// It does no I/O, reads no clock and owns no descriptor. Bytes come as a borrowed span; what must wait is copied into
/// the flow's own queue. It makes exactly one `opened` and one `closed` record, and ends with exactly one `close`.
///
/// Reading order: this file for a flow's life; `Flow+Dialing` for how it reaches its server; `Flow+Chunks` for what
/// happens to bytes; `Flow+Ending` for how a flow ends.
public struct Flow: Sendable {
    /// Numbers the flow.
    public let id: FlowID
    /// Says what carries it.
    public let transport: Transport
    /// Holds the four endpoints, as far as they are known.
    public internal(set) var path: FlowPath
    var settings: FlowSettings
    let opened: Moment
    /// Says that the flow is its own server: what comes is sent back.
    public let isEcho: Bool
    /// Counts the server's addresses that may be dialed.
    var attempts = 0
    var dialDeadline = Instant(nanoseconds: 0)

    var state: State
    var up: Half
    var down: Half
    var echo: EchoMatcher
    var lastActivity: Instant
    var random: SplitMix64
    private var scheduledWake: Instant?
    var openedPath: FlowPath?

    /// Lists where a flow can be in its life.
    enum State: Hashable, Sendable {
        /// The server's addresses are not known yet.
        case waiting
        /// Dialing: the number of the attempt, when it began and when it is given up.
        case dialing(attempt: Int, since: Instant, until: Instant)
        case open
        /// The source of a direction has reset: what was read from it is delivered, until a deadline.
        case delivering(Direction, until: Instant, CloseReason)
        /// The resets of these directions' receivers were asked for, and are not done yet.
        case resetting(pending: [Direction], CloseReason, DropReason)
        case closed
    }

    /// Holds one direction.
    struct Half: Sendable {
        var counters = Counters()
        var queue = ReleaseQueue()
        var toxics: [any Toxic]
        /// Says that the source has sent its last byte, or will never be read again.
        var isEnded = false
        /// Says that the receiver was told the end.
        var isFinished = false
        /// Says that the source is being read.
        var isRead = false
        var stalls = false
        var endsAt: Instant?
        var resetsAt: Instant?
    }

    /// Makes the flow of a client that has just come; `start` sets it going.
    ///
    /// - Parameters:
    ///   - id: the flow's number.
    ///   - transport: what carries it.
    ///   - client: where the client sends from.
    ///   - listener: where the client sent to.
    ///   - isEcho: whether the flow is its own server, and sends back what comes.
    ///   - toxics: for each direction, the chain that its chunks pass.
    ///   - seed: the seed of the flow's randomness.
    ///   - settings: time-outs and bounds.
    ///   - now: the time.
    public init(
        id: FlowID,
        transport: Transport,
        client: Endpoint,
        listener: Endpoint,
        isEcho: Bool = false,
        toxics: [Direction: [any Toxic]] = [:],
        seed: UInt64 = 0,
        settings: FlowSettings,
        at now: Moment
    ) {
        self.id = id
        self.transport = transport
        path = FlowPath(client: client, listener: listener)
        self.settings = settings
        self.isEcho = isEcho
        opened = now
        state = .waiting
        up = Half(toxics: toxics[.upstream] ?? [])
        down = Half(toxics: toxics[.downstream] ?? [])
        // What an echo server sends back is an echo by design: there is nothing to detect.
        echo = EchoMatcher(
            transport: transport,
            window: isEcho ? 0 : settings.echoWindow,
            isExpected: settings.expectsEcho && !isEcho
        )
        lastActivity = now.instant
        random = SplitMix64(seed: seed)
        // Nothing leaves an echo server's flow upstream.
        up.isFinished = isEcho
    }

    /// Begins: dials the server, or opens at once where the flow is its own server.
    ///
    /// - Parameters:
    ///   - attempts: how many of the server's addresses may be dialed, at least 1; an echo server's flow dials none.
    ///   - now: the time.
    ///   - actions: where the actions go.
    public mutating func start(attempts: Int = 1, at now: Moment, into actions: inout [FlowAction]) {
        guard case .waiting = state else { return }
        self.attempts = max(attempts, 1)
        if isEcho {
            state = .open
            recordOpened(now, &actions)
            resumeReading(.upstream, &actions)
        } else {
            dialDeadline = now.instant.advanced(by: settings.connectTimeout)
            dial(attempt: 0, now, &actions)
        }
        scheduleWake(now, &actions)
    }

    /// Takes one event, and appends what is to be done about it.
    ///
    /// - Parameters:
    ///   - event: what has happened.
    ///   - bytes: with `received`, the chunk; with `sent` and `sendFailed`, what was offered, or nothing where that was
    ///     the front of the queue.
    ///   - now: the time.
    ///   - actions: where the actions go, in the order in which they are to be performed.
    public mutating func handle(
        _ event: FlowEvent,
        bytes: RawSpan = RawSpan(),
        at now: Moment,
        into actions: inout [FlowAction]
    ) {
        if case .closed = state { return }
        switch event {
        case .received(let direction): receive(direction, bytes, now, &actions)
        case .sent(let direction, let count): sent(direction, count, of: bytes, now, &actions)
        case .writable(let direction): pump(direction, now, &actions)
        case .finished(let direction): finish(direction, now, &actions)
        case .aborted(let direction, _): abort(direction, now, &actions)
        case .sendFailed(let direction, let error): sendFailed(direction, error, bytes, now, &actions)
        case .sendBlocked(let direction): hold(bytes, direction, now, &actions)
        case .refused(let error): record(.refused(error), now, &actions)
        case .truncated(let direction, let read):
            touch(at: now.instant)
            drop(direction, bytes: UInt64(read), datagrams: 1, .truncated, now, &actions)
        case .overflowed(let direction, let datagrams):
            drop(direction, bytes: 0, datagrams: UInt64(datagrams), .receiveBufferFull, now, &actions)
        case .dialed(let egress, let server): dialed(egress, server, now, &actions)
        case .connected: connected(now, &actions)
        case .connectFailed(let error): connectFailed(error, now, &actions)
        case .resetDone(let direction, let unsent): resetDone(direction, unsent, now, &actions)
        case .wake: wake(now, &actions)
        case .evicted: end(.evicted, losing: .closed, now, &actions)
        case .dismissed: dismiss(now, &actions)
        case .shutdown: end(.shutdown, losing: .shutdown, now, &actions)
        }
        scheduleWake(now, &actions)
    }

    /// Starts the idle time again, and the time for the bytes of a side that has reset.
    ///
    /// For the time in which a full sink kept the relay from reading.
    public mutating func touch(at instant: Instant) {
        lastActivity = max(lastActivity, instant)
        guard case .delivering(let direction, let until, let reason) = state else { return }
        let later = instant.advanced(by: settings.resetDelay)
        state = .delivering(direction, until: max(until, later), reason)
    }

    /// Makes records of every chunk from now on, or of none.
    public mutating func recordChunks(_ isWanted: Bool) { settings.recordsChunks = isWanted }

    var hasScheduledWake: Bool { scheduledWake != nil }

    /// Counts the upstream bytes that are kept to find their echo.
    public var bytesKeptForEcho: Int { echo.keptBytes }

    /// Looks for no echo any more, and keeps no bytes for it.
    public mutating func giveUpEcho() { echo.giveUp() }

    /// Tells whether nothing waits in the flow's queues.
    public var hasEmptyQueues: Bool { up.queue.isEmpty && down.queue.isEmpty }

    /// Tells whether bytes of a direction wait in its queue.
    public func hasQueued(_ direction: Direction) -> Bool { !self[direction].queue.isEmpty }

    /// Lends the front of a direction's queue: what to offer the kernel next; nil where the queue is empty.
    public func withQueued<Result>(_ direction: Direction, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        self[direction].queue.withFirst(body)
    }

    subscript(direction: Direction) -> Half {
        @inline(__always) _read {
            if direction == .upstream { yield up } else { yield down }
        }
        @inline(__always) _modify {
            if direction == .upstream { yield &up } else { yield &down }
        }
    }

    /// Says that bytes may go to the kernel now, and need not wait for a dial.
    var isSending: Bool {
        switch state {
        case .open, .delivering: true
        case .waiting, .dialing, .resetting, .closed: false
        }
    }

    /// Says which way the bytes of a direction leave: an echo server's upstream bytes turn around.
    func exit(of direction: Direction) -> Direction { isEcho ? .downstream : direction }
}

// MARK: - Records

extension Flow {
    func record(_ happening: FlowRecord.Happening, _ now: Moment, _ actions: inout [FlowAction]) {
        actions.append(.record(makeRecord(happening, now)))
    }

    func makeRecord(_ happening: FlowRecord.Happening, _ now: Moment) -> FlowRecord {
        FlowRecord(flow: id, transport: transport, path: path, moment: now, happening: happening)
    }
}

// MARK: - Time

extension Flow {
    private mutating func wake(_ now: Moment, _ actions: inout [FlowAction]) {
        scheduledWake = nil
        switch state {
        case .dialing(_, _, let until) where until <= now.instant:
            return connectFailed(.timedOut, now, &actions)
        case .delivering(_, let until, _) where until <= now.instant:
            return deliveryIsLate(now, &actions)
        case .open:
            if let idleTimeout = settings.idleTimeout, lastActivity.advanced(by: idleTimeout) <= now.instant {
                return end(.idle, losing: .closed, now, &actions)
            }
            if let until = echoDeadline, until <= now.instant { reportMissingEcho(now, &actions) }
        default: break
        }
        pump(.upstream, now, &actions)
        pump(.downstream, now, &actions)
    }

    /// Asks to be woken for the next deadline, unless an earlier or equal wake is under way.
    private mutating func scheduleWake(_ now: Moment, _ actions: inout [FlowAction]) {
        var next: Instant?
        switch state {
        case .closed, .resetting, .waiting: return
        case .dialing(_, _, let until): next = until
        case .delivering(_, let until, _): next = until
        case .open:
            next = settings.idleTimeout.map { lastActivity.advanced(by: $0) }
            if let until = echoDeadline { next = min(next ?? until, until) }
        }
        if !up.toxics.isEmpty || !down.toxics.isEmpty {
            for due in [up.queue.firstDue, up.endsAt, up.resetsAt, down.queue.firstDue, down.endsAt, down.resetsAt] {
                // What is due already waits for the kernel, not for time: a wake for it would come again and again.
                if let due, due > now.instant { next = min(next ?? due, due) }
            }
        }
        guard let next else { return }
        if let scheduledWake, scheduledWake <= next { return }
        scheduledWake = next
        actions.append(.wake(at: next))
    }
}
