public import WeirWire

/// One client's conversation over a route, as a state machine: events in, actions out.
///
/// It does no I/O, reads no clock and owns no descriptor. Bytes arrive in a borrowed span; bytes that must wait are
/// copied into the flow's own queue. It makes exactly one `opened` and one `closed` record, and ends with exactly one
/// `close`.
///
/// Reading order: this file for a flow's life; `Flow+Dialing` for the way to its server; `Flow+Chunks` for the way of
/// bytes; `Flow+Toxics` for the effects of toxics; `Flow+Ending` for the end of a flow.
public struct Flow: Sendable {
    /// The identifier of the flow.
    public let id: FlowID
    /// The transport of the flow.
    public let transport: Transport
    /// The four endpoints, as far as they are known.
    public internal(set) var path: FlowPath {
        get { subject.path }
        set { subject = FlowSubject(id, transport, newValue) }
    }
    /// The flow as its records name it.
    package private(set) var subject: FlowSubject
    var settings: FlowSettings
    let opened: Moment
    /// Whether the flow is its own server, and sends back what arrives.
    public let isEcho: Bool
    /// The number of the server's addresses that may be dialed.
    var attempts = 0
    var dialDeadline = Instant(nanoseconds: 0)

    var state: State
    var up: DirectionState
    var down: DirectionState
    var echo: EchoMatcher
    var lastActivity: Instant
    let seed: UInt64
    /// The number of the flow on its route, from 1.
    let number: UInt64
    var toxics: ToxicSet
    /// The client's first bytes, while a toxic's condition asks for them; else nil.
    var firstBytes: [UInt8]?
    /// The sender of the current datagram, if it is not the server that was dialed.
    var answerSource: Endpoint?
    /// The port of the server that answered last, to which the client's datagrams go; nil while it is the one dialed.
    var otherServer: Endpoint?
    /// The chunk on its way to the toxics, which no counter includes yet: if the flow ends before, it is lost.
    var arriving: (direction: Direction, bytes: Int)?
    var scheduledWake: Instant?
    /// The flow as its `opened` record named it.
    var openedSubject: FlowSubject?

    /// The states of a flow's life.
    enum State: Hashable, Sendable {
        /// The server's addresses are not known yet.
        case waiting
        /// Dialing: the number of the attempt, its start and its deadline.
        case dialing(attempt: Int, since: Instant, until: Instant)
        case open
        /// The source of a direction has reset: the bytes read from it are delivered, until a deadline.
        case delivering(Direction, until: Instant, CloseReason)
        /// A toxic ends the flow: queued bytes go on, then both sides get an end; arriving bytes are dropped. After
        /// both got it, they have until a deadline to end as well.
        case closing(by: String, until: Instant?)
        /// The resets of these directions' receivers were requested, and are not done yet.
        case resetting(pending: [Direction], CloseReason, DropReason)
        case closed
    }

    /// The state of one direction.
    struct DirectionState: Sendable {
        var counters = Counters()
        var queue = ReleaseQueue()
        var chain: ToxicChain
        /// Whether no toxic needs to see the direction's chunks.
        var isDirect = true
        /// Whether a toxic is, or was, on the direction: its end then gets a record when it goes on.
        var hasMetToxics = false
        /// The amount that arrived minus the amount that went on: the toxics hold it, or made more or less of it.
        var ahead: (bytes: Int64, chunks: Int64) = (0, 0)
        /// Whether the source has sent its last byte, or will never be read again.
        var isEnded = false
        /// Whether the end is to be passed on after what is queued.
        var hasEndDue = false
        /// Whether the queue must be pumped before `handle` returns.
        var isToPump = false
        /// Whether the front of the queue has been offered with `sendQueued`, and the relay has not tried it yet.
        var isOffered = false
        /// Whether the receiver got the end.
        var isFinished = false
        /// Whether the source is being read.
        var isRead = false
    }

    /// Creates the flow of a client that has just connected; `start` begins it.
    ///
    /// - Parameters:
    ///   - id: the identifier of the flow.
    ///   - transport: the transport of the flow.
    ///   - client: the client's endpoint.
    ///   - listener: the endpoint to which the client sent.
    ///   - isEcho: whether the flow is its own server, and sends back what arrives.
    ///   - toxics: the toxics of the flow's route.
    ///   - number: the flow's number on its route, from 1.
    ///   - seed: the seed of the flow's randomness.
    ///   - settings: the time-outs and limits.
    ///   - now: the time.
    public init(
        id: FlowID,
        transport: Transport,
        client: Endpoint,
        listener: Endpoint,
        isEcho: Bool = false,
        toxics: ToxicSet = .none,
        number: UInt64 = 1,
        seed: UInt64 = 0,
        settings: FlowSettings,
        at now: Moment
    ) {
        self.id = id
        self.transport = transport
        subject = FlowSubject(id, transport, FlowPath(client: client, listener: listener))
        self.settings = settings
        self.isEcho = isEcho
        opened = now
        state = .waiting
        self.toxics = toxics
        self.number = number
        self.seed = seed
        up = DirectionState(chain: ToxicChain(keepsOrder: transport == .tcp))
        down = DirectionState(chain: ToxicChain(keepsOrder: transport == .tcp))
        // What an echo server sends back is an echo by design: nothing is left to detect.
        echo = EchoMatcher(
            transport: transport,
            window: isEcho ? 0 : settings.echoWindow,
            isExpected: settings.expectsEcho && !isEcho
        )
        lastActivity = now.instant
        // Nothing leaves an echo server's flow upstream.
        up.isFinished = isEcho
    }

    /// Handles one event, and appends the actions that it calls for.
    ///
    /// - Parameters:
    ///   - event: what has happened.
    ///   - bytes: with `received`, the chunk; with `sent` and `sendFailed`, what was offered, or nothing if that was
    ///     the front of the queue.
    ///   - turn: the time; receives the actions.
    public mutating func handle(_ event: FlowEvent, bytes: RawSpan = RawSpan(), in turn: inout Turn) {
        if case .closed = state { return }
        switch event {
        case .started(let attempts): start(attempts, &turn)
        case .received(let direction): receive(direction, bytes, &turn)
        case .sent(let direction, let count): sent(direction, count, of: bytes, &turn)
        case .writable(let direction): self[direction].isToPump = true
        case .finished(let direction): finish(direction, &turn)
        case .aborted(let direction, _): abort(direction, &turn)
        case .sendFailed(let direction, let error): sendFailed(direction, error, bytes, &turn)
        case .sendBlocked(let direction): hold(bytes, direction, &turn)
        case .refused(let error): record(.refused(error), &turn)
        case .tls(let tls): note(tls, &turn)
        case .truncated(let direction, let read):
            excuse(until: turn.now.instant)
            drop(direction, bytes: UInt64(read), datagrams: 1, .truncated, &turn)
        case .foreign(let source, let bytes):
            drop(.downstream, bytes: UInt64(bytes), datagrams: 1, .foreign(source), &turn)
        case .overflowed(let direction, let datagrams):
            drop(direction, bytes: 0, datagrams: UInt64(datagrams), .receiveBufferFull, &turn)
        case .dialed(let egress, let server): dialed(egress, server, &turn)
        case .connected: connected(&turn)
        case .connectFailed(let error): connectFailed(error, &turn)
        case .resetDone(let direction, let unsent, let unread): resetDone(direction, unsent, unread, &turn)
        case .lost(let direction, let bytes):
            openIfNeeded(&turn)
            drop(direction, bytes: UInt64(bytes), datagrams: 0, lossReason, &turn)
        case .answered(let source):
            answerSource = source
            if source == nil || source?.address == path.server?.address { otherServer = source }
        case .wake: wake(&turn)
        case .held(let until): excuse(until: until)
        case .reconfigured(let toxics): reconfigure(toxics, &turn)
        case .decided(let chunk, let decision): decide(chunk, decision, &turn)
        case .chunkRecords(let areWanted): settings.recordsChunks = areWanted
        case .echoesFull: echo.giveUp()
        case .evicted: end(.evicted, losing: .closed, &turn)
        case .dismissed: dismiss(.requested, &turn)
        case .drained: if hasEmptyQueues { end(.shutdown, losing: .shutdown, &turn) }
        case .shutdown: end(.shutdown, losing: .shutdown, &turn)
        }
        settle(&turn)
        scheduleWake(&turn)
    }

    /// Restarts the idle time, and the time to deliver the bytes of a side that has reset.
    private mutating func excuse(until instant: Instant) {
        lastActivity = max(lastActivity, instant)
        guard case .delivering(let direction, let until, let reason) = state else { return }
        let later = instant.advanced(by: settings.resetDelay)
        state = .delivering(direction, until: max(until, later), reason)
    }

    /// Whether both sides are connected, and bytes go on.
    public var isOpen: Bool { if case .open = state { true } else { false } }

    /// Whether the flow has ended: it takes no more events.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// The number of upstream bytes that are kept to find their echo.
    public var bytesKeptForEcho: Int { echo.keptBytes }

    /// Whether nothing waits in the flow's queues.
    public var hasEmptyQueues: Bool {
        up.queue.isEmpty && down.queue.isEmpty && up.chain.isEmpty && down.chain.isEmpty
    }

    /// How a source is to be read.
    public struct Reading: Hashable, Sendable {
        /// The maximum size of one read, in bytes: with toxics 64 KiB, as they are exact only to a read.
        public var limit: Int
        /// Whether arriving bytes are dropped because the flow is ending, so that they need no room at the receiver.
        public var isDiscarding: Bool
        /// Whether the source's end would be passed on directly after its last byte.
        public var passesEnd: Bool
    }

    /// Returns how a source is to be read now.
    @inline(__always)
    public func reading(_ source: Direction) -> Reading {
        let isDiscarding =
            switch state {
            case .closing, .resetting: true
            case .waiting, .dialing, .open, .delivering, .closed: false
            }
        return Reading(
            limit: self[source].isDirect ? .max : 1 << 16,
            isDiscarding: isDiscarding,
            passesEnd: self[source].chain.stages.isEmpty
        )
    }

    /// The endpoint of the server's side to which the client's datagrams go; nil for the server that was dialed.
    ///
    /// It is the port of the server that answered last; TFTP depends on that (RFC 1350 section 4).
    public var destination: Endpoint? { otherServer }

    /// Lends the front of a direction's queue to the relay, which performs the action `sendQueued`; returns nil if the
    /// queue is empty.
    public mutating func offerQueued<Result>(
        _ direction: Direction,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        self[direction].isOffered = false
        return self[direction].queue.withFirst(body)
    }

    subscript(direction: Direction) -> DirectionState {
        @inline(__always) _read {
            if direction == .upstream { yield up } else { yield down }
        }
        @inline(__always) _modify {
            if direction == .upstream { yield &up } else { yield &down }
        }
    }

    /// Whether bytes may go to the kernel now, and need not wait for a dial.
    var isSending: Bool {
        switch state {
        case .open, .delivering, .closing: true
        case .waiting, .dialing, .resetting, .closed: false
        }
    }

    /// Returns the direction in which the bytes of a direction leave: an echo server's upstream bytes turn around.
    func exit(of direction: Direction) -> Direction { isEcho ? .downstream : direction }
}

// MARK: - Records

extension Flow {
    func record(_ happening: FlowRecord.Happening, copy: [UInt8]? = nil, _ turn: inout Turn) {
        turn.record(FlowRecord(of: subject, moment: turn.now, happening: happening), copy: copy)
    }
}

// MARK: - Time

extension Flow {
    private mutating func wake(_ turn: inout Turn) {
        scheduledWake = nil
        switch state {
        case .dialing(_, _, let until) where until <= turn.now.instant:
            return connectFailed(.timedOut, &turn)
        case .delivering(let direction, let until, _) where until <= turn.now.instant:
            guard !waitsForToxics(direction, turn.now.instant) else { break }
            return deliveryIsLate(&turn)
        case .closing(let toxic, let until):
            if let until, until <= turn.now.instant { return resetStaying(toxic, &turn) }
            guard until == nil, let idleDeadline, idleDeadline <= turn.now.instant else { break }
            return end(.toxic, losing: .toxic(toxic), &turn)
        case .open:
            if let idleDeadline, idleDeadline <= turn.now.instant { return end(.idle, losing: .closed, &turn) }
            if let until = echoDeadline, until <= turn.now.instant { reportMissingEcho(&turn) }
        default: break
        }
        (up.isToPump, down.isToPump) = (true, true)
    }

    /// The time at which the flow has been idle for too long; while a toxic still holds something, the flow is not
    /// idle.
    private var idleDeadline: Instant? {
        guard let idleTimeout = settings.idleTimeout else { return nil }
        var active = lastActivity
        for release in [up.chain.nextRelease, down.chain.nextRelease] {
            if let release { active = max(active, release) }
        }
        return active.advanced(by: idleTimeout)
    }

    /// Lets toxics do what is due, and sends what there is to send, once for each direction before `handle` returns.
    mutating func settle(_ turn: inout Turn) {
        advanceToxics(&turn)
        if up.isToPump {
            up.isToPump = false
            pump(.upstream, &turn)
        }
        if down.isToPump {
            down.isToPump = false
            pump(.downstream, &turn)
        }
    }

    /// Requests a wake for the next deadline, unless an earlier or equal one is under way.
    mutating func scheduleWake(_ turn: inout Turn) {
        var next: Instant?
        switch state {
        case .closed, .resetting, .waiting: return
        case .dialing(_, _, let until): next = until
        case .delivering(_, let until, _): next = until
        case .closing(_, let until): next = until ?? idleDeadline
        case .open:
            next = idleDeadline
            if let until = echoDeadline { next = min(next ?? until, until) }
        }
        for due in [nextDue(.upstream), nextDue(.downstream)] {
            if let due { next = min(next ?? due, due) }
        }
        guard let next else { return }
        if let scheduledWake, scheduledWake <= next { return }
        scheduledWake = next
        turn.ask(.wake(at: next))
    }
}
