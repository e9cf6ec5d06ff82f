import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirSinks
import WeirWire

/// One thread with one epoll: it reads, passes events to the flows, and performs the actions that they return.
///
/// It is confined to its thread, which creates it; other threads reach it through its `LoopHandle`.
final class EventLoop {
    /// The maximum size of one read from a stream, in bytes.
    static let readSize = 512 << 10
    /// The size of a batch, in bytes, above which it goes to the sinks before the turn ends.
    static let batchSize = 1 << 20

    /// What changes with each turn.
    struct State {
        var timers = TimerHeap()
        /// Whether an output is full, so that the loop does not read.
        fileprivate(set) var isHeld = false
        /// The time at which reading resumed after the last hold; time before it does not count as idleness.
        fileprivate var heldUntil: Instant?
        fileprivate(set) var isDraining = false
        /// The toxics of each route.
        fileprivate(set) var toxics: [ToxicSet]
        /// The finder of the parts that readers of messages need, if no sink shows bytes.
        fileprivate var finder = PartFinder()
        fileprivate var batch: RecordBatch
        fileprivate var wantsBytes: Bool
        /// The counts of each route, by its number, that no open flow keeps itself.
        fileprivate(set) var tallies: [RouteTally] = []
        fileprivate var wallAhead: Int64 = 0
        /// The time at which this turn began; precise enough for idle time-outs.
        fileprivate(set) var turnBegan = Instant(nanoseconds: 0)
    }

    let shared: Shared
    let index: Int
    let epoll: Descriptor
    let readBuffer: UnsafeMutableRawBufferPointer
    #if WEIR_CHECKS
    private var state: State
    #else
    @exclusivity(unchecked) private var state: State
    #endif
    /// Whether the loop can no longer wait for events, so that no work may be left for later.
    private(set) var hasFailed = false
    private let memory: RecycledMemory
    private var whenIdle: (@Sendable () -> Void)?
    private var whenStopped: (@Sendable () -> Void)?
    lazy var host = FlowHost(loop: self)
    lazy var tcp = TCPCarrier(loop: self, host: host)
    lazy var udp = UDPCarrier(loop: self, host: host)

    var timers: TimerHeap {
        @inline(__always) _read { yield state.timers }
        @inline(__always) _modify { yield &state.timers }
    }
    var isHeld: Bool { state.isHeld }
    var isDraining: Bool { state.isDraining }
    var toxics: [ToxicSet] { state.toxics }
    var tallies: [RouteTally] { state.tallies }
    var turnBegan: Instant { state.turnBegan }

    private init(index: Int, shared: Shared) throws(SystemError) {
        self.index = index
        self.shared = shared
        memory = shared.loops[index].memory
        state = State(
            toxics: shared.toxics,
            batch: RecordBatch(memory: memory),
            wantsBytes: shared.hub.interest == .bytes
        )
        let raw = weir_epoll_create()
        guard raw >= 0 else { throw SystemError("make an epoll", ErrorNumber(-raw)) }
        epoll = Descriptor(owning: raw)
        readBuffer = .allocate(byteCount: Self.readSize, alignment: 4096)
        try watch(shared.loops[index].mailbox.signal, UInt32(WEIR_IN), Token(.mailbox))
        updateWallClock()
    }

    deinit {
        readBuffer.deallocate()
    }

    /// Creates a loop on this thread, reports that it is ready, and runs it until it is told to stop.
    ///
    /// The loop owns the listening sockets and closes them when it ends, even if it cannot be created.
    ///
    /// - Returns: the closure to call now that the loop is gone and its sockets are closed.
    static func serve(
        index: Int,
        shared: Shared,
        tcp: [Listening],
        udp: [Listening],
        whenReady: () -> Void
    ) throws(SystemError) -> (@Sendable () -> Void)? {
        let tcpListeners = tcp.map { TCPListener($0) }
        let udpListeners = udp.enumerated().map { UDPListener($1, place: $0) }
        let loop = try EventLoop(index: index, shared: shared)
        try loop.tcp.listen(tcpListeners)
        try loop.udp.listen(udpListeners)
        whenReady()
        loop.run()
        return loop.whenStopped
    }

    private func run() {
        withUnsafeTemporaryAllocation(of: weir_event.self, capacity: 256) { events in
            do throws(SystemError) {
                while whenStopped == nil { try turn(events) }
            } catch {
                fail(error)
            }
        }
        for message in shared.loops[index].mailbox.close() {
            switch message {
            // Another thread waits for the answer.
            case .perform(let body): body(self)
            case .setToxics(_, _, let whenDone): whenDone()
            case .drain(let whenIdle): whenIdle()
            case .stop(let whenStopped): self.whenStopped = whenStopped
            default: break
            }
        }
        whenIdle?()
        flush()
    }

    /// Ends the flows of a loop that can no longer wait for events, and reports the error.
    private func fail(_ error: SystemError) {
        state.isDraining = true
        hasFailed = true
        tcp.drain()
        udp.drain()
        host.shutdown()
        shared.configuration.whenLoopFails(error)
    }

    private func turn(_ events: UnsafeMutableBufferPointer<weir_event>) throws(SystemError) {
        let count = weir_epoll_wait(epoll.raw, events.baseAddress, 256, timeout())
        guard count >= 0 else { throw SystemError("wait for events (epoll_wait)", ErrorNumber(-count)) }
        updateWallClock()
        for index in 0..<Int(max(0, count)) { dispatch(events[index]) }
        if isHeld, !shared.hub.isFull { release() }
        if !isHeld {
            tcp.serviceReady()
            udp.serviceReady()
        }
        fireTimers()
        if isDraining { udp.endIdle() }
        flush()
        if let whenIdle, host.isEmpty {
            self.whenIdle = nil
            whenIdle()
        }
    }

    /// Returns how long to wait, in nanoseconds: 0 while there is work left, -1 (for ever) while there are no timers.
    private func timeout() -> Int64 {
        if !isHeld, tcp.hasReady || udp.hasReady { return 0 }
        guard let due = timers.firstDue else { return -1 }
        return max(0, SystemClock.instant().duration(to: due).inNanoseconds)
    }

    private func dispatch(_ event: weir_event) {
        let token = Token(rawValue: event.token)
        switch token.kind {
        case .mailbox: for message in shared.loops[index].mailbox.take() { handle(message) }
        case .tcpListener: tcp.accept(from: token.place)
        case .opening: tcp.handleOpening(event.events, token)
        case .client: tcp.handle(event.events, from: .upstream, token)
        case .server: tcp.handle(event.events, from: .downstream, token)
        case .udpListener: udp.handleListener(event.events, token)
        case .session: udp.handleSession(event.events, token)
        case .flowTimer, .retryAccept, nil: break
        }
    }

    private func handle(_ message: LoopMessage) {
        switch message {
        case .adopt(let connection): tcp.adopt(connection)
        case .resolved(let target): host.resolved(target)
        case .resumeAccepting: tcp.resumeAccepting()
        case .evictSession: udp.evictForOthers()
        case .sinksReady: break
        case .drain(let whenIdle):
            state.isDraining = true
            self.whenIdle = whenIdle
            tcp.drain()
            udp.drain()
        case .perform(let body): body(self)
        case .setToxics(let set, let route, let whenDone):
            addRoute(route)
            state.toxics[route] = set
            host.setToxics(set, route: route)
            whenDone()
        case .shutdown: host.shutdown()
        case .stop(let whenStopped): self.whenStopped = whenStopped
        }
    }

    private func fireTimers() {
        if timers.isCrowded { thinTimers() }
        guard let due = timers.firstDue, due <= turnBegan else { return }
        let now = SystemClock.instant()
        while let entry = timers.popDue(at: now) {
            switch entry.token.kind {
            case .flowTimer: host.wake(entry, heldUntil: isHeld ? now : state.heldUntil)
            case .opening: tcp.openingIsLate(entry.token)
            case .retryAccept: tcp.retryAccepting()
            default: break
            }
        }
    }

    private func thinTimers() {
        timers.thin { entry in
            switch entry.token.kind {
            case .flowTimer: host.isNeeded(entry)
            default: true
            }
        }
    }

    // MARK: - For the relays

    /// Reads the clock.
    ///
    /// The wall clock is read once a turn and carried on by the monotonic one.
    func now() -> Moment {
        let instant = SystemClock.instant()
        return Moment(wallNanoseconds: instant.nanoseconds &+ state.wallAhead, instant: instant)
    }

    /// Returns a target's addresses, or nil if they are being looked up again; the message `resolved` follows.
    func endpoints(of target: Target) -> [Endpoint]? {
        let mailbox = shared.loops[index].mailbox
        return target.endpoints(at: now().instant, orAfter: { mailbox.post(.resolved(target)) })
    }

    /// Adds a descriptor to the epoll.
    func watch(_ raw: Int32, _ events: UInt32, _ token: Token) throws(SystemError) {
        let status = weir_epoll_add(epoll.raw, raw, events, token.rawValue)
        guard status >= 0 else { throw SystemError("watch a descriptor", ErrorNumber(-status)) }
    }

    /// Adds a record to this turn's batch, with its chunk's bytes if a sink wants them.
    func record(_ record: FlowRecord, bytes: RawSpan, route: Int) {
        tally(route) { $0.notice(record.happening) }
        if case .mismatch = record.happening { shared.mismatches.add(1, ordering: .relaxed) }
        if state.wantsBytes, record.happening.chunk != nil {
            state.batch.append(record, bytes: bytes)
        } else if shared.hub.hasDemands {
            let parts = state.finder.parts(of: record, bytes) { shared.hub.wants($0, of: record.flow) }
            state.batch.append(record, bytes: bytes, parts: parts)
        } else {
            state.batch.append(record)
        }
        // One turn may read a great deal, so check the sinks' queues within the turn.
        if state.batch.size > Self.batchSize { flush() }
    }

    /// Passes the batch to the sinks, and stops reading if one of them is full now.
    func flush() {
        guard !state.batch.isEmpty else { return }
        shared.hub.submit(state.batch, lane: index)
        state.batch = RecordBatch(memory: memory)
        if shared.hub.isFull { state.isHeld = true }
    }

    /// Makes room for a route, which has no toxics yet.
    func addRoute(_ route: Int) {
        while state.toxics.count <= route { state.toxics.append(.none) }
    }

    /// Changes the counts of a route.
    func tally(_ route: Int, _ change: (inout RouteTally) -> Void) {
        while state.tallies.count <= route { state.tallies.append(RouteTally()) }
        change(&state.tallies[route])
    }

    /// The maximum number of bytes that a flow keeps to find echoes; 0 if no output shows them and none are expected.
    var echoWindow: Int {
        let configuration = shared.configuration
        return shared.hub.showsEchoes || configuration.expectsEcho ? configuration.echoWindow : 0
    }

    /// Makes the records that the outputs now want.
    func followInterest() {
        let interest = shared.hub.interest
        state.wantsBytes = interest == .bytes
        host.recordChunks(interest >= .chunks)
    }

    private func release() {
        state.isHeld = false
        state.heldUntil = SystemClock.instant()
        host.markAllReady()
        udp.markListenersReady()
    }

    private func updateWallClock() {
        let moment = SystemClock.now()
        state.wallAhead = moment.wallNanoseconds - moment.instant.nanoseconds
        state.turnBegan = moment.instant
    }
}
