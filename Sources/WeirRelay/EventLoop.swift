import CWeir
import Glibc
import Synchronization
import WeirFlow
import WeirWire

/// Is one thread with one epoll: it reads, lets the flows decide, and does what they say.
///
/// It is confined to its thread: it is made there and never leaves; others reach it through its `LoopHandle`.
final class EventLoop {
    /// Bounds how much of a stream one read takes, in bytes.
    static let readSize = 512 << 10
    /// Bounds what is in a batch before it is handed to the sinks within a turn, in bytes.
    static let batchSize = 1 << 20

    let shared: Shared
    let index: Int
    let epoll: Descriptor
    let readBuffer: UnsafeMutableRawBufferPointer
    @exclusivity(unchecked) var timers = TimerHeap()
    /// Tells that an output is full, so that nothing is read.
    @exclusivity(unchecked) private(set) var isHeld = false
    /// Says when reading went on after the last time it was held: nothing before counts as idleness.
    @exclusivity(unchecked) private var heldUntil = Instant(nanoseconds: 0)
    @exclusivity(unchecked) private(set) var isDraining = false
    /// Whether the loop cannot wait for events any more: nothing may be left for later.
    private(set) var hasFailed = false
    /// Holds the toxics of each route.
    @exclusivity(unchecked) private(set) var toxics: [ToxicSet]

    private let memory: RecycledMemory
    /// Finds what readers of messages look at, where no sink shows bytes.
    @exclusivity(unchecked) private var finder = PartFinder()
    @exclusivity(unchecked) private var batch: RecordBatch
    @exclusivity(unchecked) private var wantsBytes: Bool
    /// Counts for each route, by its number, what no open flow counts for itself.
    @exclusivity(unchecked) var tallies: [RouteTally] = []
    @exclusivity(unchecked) private var wallAhead: Int64 = 0
    /// Says when this turn began: near enough for what is only idleness.
    @exclusivity(unchecked) private(set) var turnBegan = Instant(nanoseconds: 0)
    private var whenIdle: (@Sendable () -> Void)?
    private var whenStopped: (@Sendable () -> Void)?
    lazy var tcp = TCPRelay(loop: self)
    lazy var udp = UDPRelay(loop: self)

    private init(index: Int, shared: Shared) throws(SystemError) {
        self.index = index
        self.shared = shared
        toxics = shared.toxics
        memory = shared.loops[index].memory
        batch = RecordBatch(memory: memory)
        let raw = weir_epoll_create()
        guard raw >= 0 else { throw SystemError("make an epoll", ErrorNumber(-raw)) }
        epoll = Descriptor(owning: raw)
        readBuffer = .allocate(byteCount: Self.readSize, alignment: 4096)
        wantsBytes = shared.hub.interest == .bytes
        try watch(shared.loops[index].mailbox.signal, UInt32(WEIR_IN), Token(.mailbox))
        updateWallClock()
    }

    deinit {
        readBuffer.deallocate()
    }

    /// Makes a loop on this thread, says that it is ready, and runs it until it is told to stop.
    ///
    /// The listening sockets are the loop's, and are closed with it, also where it cannot be made.
    ///
    /// - Returns: what is to be done now that the loop is gone, and its sockets are closed.
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
            // Somebody waits for the answer.
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

    /// Ends the flows of a loop that cannot wait for events, and says so: nothing can be served any more.
    private func fail(_ error: SystemError) {
        isDraining = true
        hasFailed = true
        tcp.drain()
        udp.drain()
        tcp.shutdown()
        udp.shutdown()
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
        if let whenIdle, tcp.isEmpty, udp.isEmpty {
            self.whenIdle = nil
            whenIdle()
        }
    }

    /// Says how long to wait, in nanoseconds: not at all while there is work left, for ever while there is none.
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
        case .client: tcp.handle(event.events, from: .upstream, token)
        case .server: tcp.handle(event.events, from: .downstream, token)
        case .udpListener: udp.handleListener(event.events, token)
        case .session: udp.handleSession(event.events, token)
        case .tcpTimer, .udpTimer, .retryAccept, nil: break
        }
    }

    private func handle(_ message: LoopMessage) {
        switch message {
        case .adopt(let connection): tcp.adopt(connection)
        case .resolved(let route):
            tcp.targetResolved(route)
            udp.targetResolved(route)
        case .resumeAccepting: tcp.resumeAccepting()
        case .evictSession: udp.evictForOthers()
        case .sinksReady: break
        case .drain(let whenIdle):
            isDraining = true
            self.whenIdle = whenIdle
            tcp.drain()
            udp.drain()
        case .perform(let body): body(self)
        case .setToxics(let set, let route, let whenDone):
            addRoute(route)
            toxics[route] = set
            tcp.setToxics(set, route: route)
            udp.setToxics(set, route: route)
            whenDone()
        case .shutdown:
            tcp.shutdown()
            udp.shutdown()
        case .stop(let whenStopped): self.whenStopped = whenStopped
        }
    }

    private func fireTimers() {
        if timers.isCrowded { thinTimers() }
        guard let due = timers.firstDue, due <= turnBegan else { return }
        let now = SystemClock.instant()
        while let entry = timers.popDue(at: now) {
            switch entry.token.kind {
            case .tcpTimer: tcp.wake(entry, excusedUntil: isHeld ? now : heldUntil)
            case .udpTimer: udp.wake(entry, excusedUntil: isHeld ? now : heldUntil)
            case .retryAccept: tcp.retryAccepting()
            default: break
            }
        }
    }

    private func thinTimers() {
        timers.thin { entry in
            switch entry.token.kind {
            case .tcpTimer: tcp.isNeeded(entry)
            case .udpTimer: udp.isNeeded(entry)
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
        return Moment(wallNanoseconds: instant.nanoseconds &+ wallAhead, instant: instant)
    }

    /// Returns a target's addresses; nil says that they are looked up again, and the message `resolved` follows.
    func endpoints(of target: Target, route: Int) -> [Endpoint]? {
        let mailbox = shared.loops[index].mailbox
        return target.endpoints(at: now().instant, orAfter: { mailbox.post(.resolved(route: route)) })
    }

    /// Adds a descriptor to the epoll.
    func watch(_ raw: Int32, _ events: UInt32, _ token: Token) throws(SystemError) {
        let status = weir_epoll_add(epoll.raw, raw, events, token.rawValue)
        guard status >= 0 else { throw SystemError("watch a descriptor", ErrorNumber(-status)) }
    }

    /// Puts a record into this turn's batch, with its chunk's bytes where a sink wants them.
    func record(_ record: FlowRecord, bytes: RawSpan, route: Int) {
        tally(route) { $0.notice(record.happening) }
        switch record.happening {
        case .mismatch: shared.mismatches.add(1, ordering: .relaxed)
        case .refused: shared.targets[route]?.doubt()
        default: break
        }
        if wantsBytes, record.happening.chunk != nil {
            batch.append(record, bytes: bytes)
        } else if shared.hub.hasDemands {
            let parts = finder.parts(of: record, bytes) { shared.hub.wants($0, of: record.flow) }
            batch.append(record, bytes: bytes, parts: parts)
        } else {
            batch.append(record)
        }
        // One turn may read a great deal: what a sink's queue may hold is looked at between.
        if batch.size > Self.batchSize { flush() }
    }

    /// Hands the batch to the sinks, and stops reading if one of them is full now.
    func flush() {
        guard !batch.isEmpty else { return }
        shared.hub.submit(batch, lane: index)
        batch = RecordBatch(memory: memory)
        if shared.hub.isFull { isHeld = true }
    }

    /// Makes room for a route, which has no toxic yet.
    func addRoute(_ route: Int) {
        while toxics.count <= route { toxics.append(.none) }
    }

    /// Changes what is counted for a route.
    func tally(_ route: Int, _ change: (inout RouteTally) -> Void) {
        while tallies.count <= route { tallies.append(RouteTally()) }
        change(&tallies[route])
    }

    /// Bounds what a flow keeps to find echoes: nothing where nobody shows them.
    var echoWindow: Int {
        let configuration = shared.configuration
        return shared.hub.showsEchoes || configuration.expectsEcho ? configuration.echoWindow : 0
    }

    /// Makes the records that the outputs want now.
    func followInterest() {
        let interest = shared.hub.interest
        wantsBytes = interest == .bytes
        tcp.recordChunks(interest >= .chunks)
        udp.recordChunks(interest >= .chunks)
    }

    private func release() {
        isHeld = false
        heldUntil = SystemClock.instant()
        tcp.markAllReady()
        udp.markAllReady()
    }

    private func updateWallClock() {
        let moment = SystemClock.now()
        wallAhead = moment.wallNanoseconds - moment.instant.nanoseconds
        turnBegan = moment.instant
    }
}
