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
    public internal(set) var path: FlowPath
    var settings: FlowSettings
    let opened: Moment
    /// Whether the flow is its own server, and sends back what arrives.
    public let isEcho: Bool
    /// The number of the server's addresses that may be dialed.
    var attempts = 0
    var dialDeadline = Instant(nanoseconds: 0)

    var state: State
    var up: Half
    var down: Half
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
    private var scheduledWake: Instant?
    var openedPath: FlowPath?

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
    struct Half: Sendable {
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
        path = FlowPath(client: client, listener: listener)
        self.settings = settings
        self.isEcho = isEcho
        opened = now
        state = .waiting
        self.toxics = toxics
        self.number = number
        self.seed = seed
        up = Half(chain: ToxicChain(keepsOrder: transport == .tcp))
        down = Half(chain: ToxicChain(keepsOrder: transport == .tcp))
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

    /// Begins the flow: dials the server, or opens the flow at once if it is its own server.
    ///
    /// - Parameters:
    ///   - attempts: the number of the server's addresses that may be dialed, at least 1; an echo server's flow dials
    ///     none.
    ///   - now: the time.
    ///   - actions: receives the actions.
    public mutating func start(attempts: Int = 1, at now: Moment, into actions: inout [FlowAction]) {
        guard case .waiting = state else { return }
        self.attempts = max(attempts, 1)
        if isEcho {
            state = .open
            recordOpened(now, &actions)
            meetToxics(now, &actions)
            resumeReading(.upstream, &actions)
        } else {
            dialDeadline = now.instant.advanced(by: settings.connectTimeout)
            dial(attempt: 0, now, &actions)
        }
        settle(now, &actions)
        scheduleWake(now, &actions)
    }

    /// Handles one event, and appends the actions that it calls for.
    ///
    /// - Parameters:
    ///   - event: what has happened.
    ///   - bytes: with `received`, the chunk; with `sent` and `sendFailed`, what was offered, or nothing if that was
    ///     the front of the queue.
    ///   - now: the time.
    ///   - actions: receives the actions, in the order in which they are to be performed.
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
        case .writable(let direction): self[direction].isToPump = true
        case .finished(let direction): finish(direction, now, &actions)
        case .aborted(let direction, _): abort(direction, now, &actions)
        case .sendFailed(let direction, let error): sendFailed(direction, error, bytes, now, &actions)
        case .sendBlocked(let direction): hold(bytes, direction, now, &actions)
        case .refused(let error): record(.refused(error), now, &actions)
        case .truncated(let direction, let read):
            touch(at: now.instant)
            drop(direction, bytes: UInt64(read), datagrams: 1, .truncated, now, &actions)
        case .foreign(let source, let bytes):
            drop(.downstream, bytes: UInt64(bytes), datagrams: 1, .foreign(source), now, &actions)
        case .overflowed(let direction, let datagrams):
            drop(direction, bytes: 0, datagrams: UInt64(datagrams), .receiveBufferFull, now, &actions)
        case .dialed(let egress, let server): dialed(egress, server, now, &actions)
        case .connected: connected(now, &actions)
        case .connectFailed(let error): connectFailed(error, now, &actions)
        case .resetDone(let direction, let unsent): resetDone(direction, unsent, now, &actions)
        case .lost(let direction, let bytes):
            openIfNeeded(now, &actions)
            drop(direction, bytes: UInt64(bytes), datagrams: 0, lossReason, now, &actions)
        case .wake: wake(now, &actions)
        case .evicted: end(.evicted, losing: .closed, now, &actions)
        case .dismissed: dismiss(now, &actions)
        case .shutdown: end(.shutdown, losing: .shutdown, now, &actions)
        }
        settle(now, &actions)
        scheduleWake(now, &actions)
    }

    /// Notes the sender of the next datagram from the server's side.
    ///
    /// If that is another port of the server, the client's datagrams go there from now on; TFTP depends on that (RFC
    /// 1350 section 4).
    ///
    /// - Parameter source: the sender's endpoint; nil if it is the server that was dialed.
    /// - Returns: the endpoint to which the client's datagrams go from now on; nil for the server that was dialed.
    public mutating func answers(from source: Endpoint?) -> Endpoint? {
        answerSource = source
        if source == nil || source?.address == path.server?.address { otherServer = source }
        return otherServer
    }

    /// Restarts the idle time, and the time to deliver the bytes of a side that has reset.
    ///
    /// This makes up for the time in which a full sink kept the relay from reading.
    public mutating func touch(at instant: Instant) {
        lastActivity = max(lastActivity, instant)
        guard case .delivering(let direction, let until, let reason) = state else { return }
        let later = instant.advanced(by: settings.resetDelay)
        state = .delivering(direction, until: max(until, later), reason)
    }

    /// Turns the records of chunks on or off from now on.
    public mutating func recordChunks(_ isWanted: Bool) { settings.recordsChunks = isWanted }

    /// Whether the flow has ended: it takes no more events.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    var hasScheduledWake: Bool { scheduledWake != nil }

    /// The number of upstream bytes that are kept to find their echo.
    public var bytesKeptForEcho: Int { echo.keptBytes }

    /// Ends the search for echoes, and forgets the bytes kept for it.
    public mutating func giveUpEcho() { echo.giveUp() }

    /// Whether nothing waits in the flow's queues.
    public var hasEmptyQueues: Bool {
        up.queue.isEmpty && down.queue.isEmpty && up.chain.isEmpty && down.chain.isEmpty
    }

    /// Returns whether the end of a source would be passed on directly after its last byte.
    public func passesEnd(_ source: Direction) -> Bool { self[source].chain.stages.isEmpty }

    /// Whether arriving bytes are dropped because the flow is ending.
    public var isDiscarding: Bool {
        switch state {
        case .closing, .resetting: true
        case .waiting, .dialing, .open, .delivering, .closed: false
        }
    }

    /// Returns whether the flow closes as soon as the reset of a direction's receiver is done.
    public func isLastReset(_ direction: Direction) -> Bool {
        if case .resetting(let pending, _, _) = state { pending == [direction] } else { false }
    }

    /// Returns the limit on one read of a source, in bytes: with toxics 64 KiB, as they are exact only to a read.
    public func readLimit(_ source: Direction) -> Int { self[source].isDirect ? .max : 1 << 16 }

    /// Returns whether bytes of a direction wait in its queue.
    public func hasQueued(_ direction: Direction) -> Bool { !self[direction].queue.isEmpty }

    /// Notes that the relay now tries the front of a direction's queue, for the action `sendQueued`.
    public mutating func beginSending(_ direction: Direction) { self[direction].isOffered = false }

    /// Lends the front of a direction's queue, the next bytes to offer to the kernel; nil if the queue is empty.
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
        case .delivering(let direction, let until, _) where until <= now.instant:
            guard !waitsForToxics(direction, now) else { break }
            return deliveryIsLate(now, &actions)
        case .closing(let toxic, let until):
            if let until, until <= now.instant { return resetStaying(toxic, now, &actions) }
            guard until == nil, let idleDeadline, idleDeadline <= now.instant else { break }
            return end(.toxic, losing: .toxic(toxic), now, &actions)
        case .open:
            if let idleDeadline, idleDeadline <= now.instant { return end(.idle, losing: .closed, now, &actions) }
            if let until = echoDeadline, until <= now.instant { reportMissingEcho(now, &actions) }
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
    mutating func settle(_ now: Moment, _ actions: inout [FlowAction]) {
        advanceToxics(now, &actions)
        if up.isToPump {
            up.isToPump = false
            pump(.upstream, now, &actions)
        }
        if down.isToPump {
            down.isToPump = false
            pump(.downstream, now, &actions)
        }
    }

    /// Requests a wake for the next deadline, unless an earlier or equal one is under way.
    mutating func scheduleWake(_ now: Moment, _ actions: inout [FlowAction]) {
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
        actions.append(.wake(at: next))
    }
}
