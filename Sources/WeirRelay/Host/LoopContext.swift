import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirSinks
import WeirWire

/// What an event loop's flows and carriers share: its epoll, its timers, its clock, and its records for the sinks.
///
/// It is confined to the loop's thread, which creates it; other threads reach the loop through its `LoopHandle`.
final class LoopContext {
    /// The maximum size of one read from a stream, in bytes.
    static let readSize = 512 << 10
    /// The size of a batch, in bytes, above which it goes to the sinks before the turn ends.
    static let batchSize = 1 << 20

    /// What changes with each turn.
    private struct State {
        var timers = TimerHeap()
        var isHeld = false
        var heldUntil: Instant?
        var isDraining = false
        var toxics: [ToxicSet]
        /// The finder of the parts that readers of messages need, if no sink shows bytes.
        var finder = MessageRangeFinder()
        var batch: RecordBatch
        var wantsBytes: Bool
        var tallies: [RouteTally] = []
        var wallAhead: Int64 = 0
        var turnBegan = Instant(nanoseconds: 0)
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

    var timers: TimerHeap {
        @inline(__always) _read { yield state.timers }
        @inline(__always) _modify { yield &state.timers }
    }
    /// Whether an output is full, so that the loop does not read.
    var isHeld: Bool { state.isHeld }
    /// The time at which reading resumed after the last hold; time before it does not count as idleness.
    var heldUntil: Instant? { state.heldUntil }
    var isDraining: Bool { state.isDraining }
    /// The toxics of each route.
    var toxics: [ToxicSet] { state.toxics }
    /// The counts of each route, by its number, that no open flow keeps itself.
    var tallies: [RouteTally] { state.tallies }
    /// The time at which this turn began; precise enough for idle time-outs.
    var turnBegan: Instant { state.turnBegan }
    var handle: LoopHandle { shared.loops[index] }

    init(index: Int, shared: Shared) throws(SystemError) {
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
        try watch(handle.mailbox.signal, UInt32(WEIR_IN), Token(.mailbox))
        beginTurn()
    }

    deinit {
        readBuffer.deallocate()
    }

    // MARK: - For the loop

    /// Reads both clocks.
    func beginTurn() {
        let moment = SystemClock.now()
        state.wallAhead = moment.wallNanoseconds - moment.instant.nanoseconds
        state.turnBegan = moment.instant
    }

    /// Tells the outputs whether the loop waits for events, with all its records submitted.
    func setIdle(_ isIdle: Bool) { shared.hub.setIdle(isIdle, lane: index) }

    /// Notes that no new flow begins any more.
    func drain() { state.isDraining = true }

    /// Notes that the loop can no longer wait for events.
    func fail() {
        state.isDraining = true
        hasFailed = true
    }

    /// Resumes reading: no output is full now.
    func release() {
        state.isHeld = false
        state.heldUntil = SystemClock.instant()
    }

    /// Gives a route toxics from now on.
    func setToxics(_ set: ToxicSet, route: Int) {
        addRoute(route)
        state.toxics[route] = set
    }

    /// Makes the records that the outputs now want.
    func followInterest() {
        state.wantsBytes = shared.hub.interest == .bytes
        // It does not see how flows end while nobody wants messages.
        if shared.hub.messages == .none { state.finder = MessageRangeFinder() }
    }

    // MARK: - For flows and carriers

    /// Reads the clock.
    ///
    /// The wall clock is read once a turn and carried on by the monotonic one.
    func now() -> Moment {
        let instant = SystemClock.instant()
        return Moment(wallNanoseconds: instant.nanoseconds &+ state.wallAhead, instant: instant)
    }

    /// Returns a target's addresses, or nil if they are being looked up again; the message `resolved` follows.
    func endpoints(of target: Target) -> [Endpoint]? {
        let mailbox = handle.mailbox
        return target.endpoints(at: now().instant, orAfter: { mailbox.post(.resolved(target)) })
    }

    /// Adds a descriptor to the epoll.
    func watch(_ raw: Int32, _ events: UInt32, _ token: Token) throws(SystemError) {
        let status = weir_epoll_add(epoll.raw, raw, events, token.rawValue)
        guard status >= 0 else { throw SystemError("watch a descriptor", ErrorNumber(-status)) }
    }

    /// Changes the events and the token of a descriptor that is watched already.
    func watchAgain(_ raw: Int32, _ events: UInt32, _ token: Token) throws(SystemError) {
        let status = weir_epoll_modify(epoll.raw, raw, events, token.rawValue)
        guard status >= 0 else { throw SystemError("watch a descriptor", ErrorNumber(-status)) }
    }

    /// Adds a record to this turn's batch, with its chunk's bytes if a sink wants them.
    func record(_ record: FlowRecord, bytes: RawSpan, route: Int) {
        tally(route) { $0.notice(record.happening) }
        if case .mismatch = record.happening { shared.mismatches.add(1, ordering: .relaxed) }
        if state.wantsBytes, record.happening.chunk != nil {
            state.batch.append(record, bytes: bytes)
        } else if shared.hub.messages > .none {
            let parts = state.finder.parts(of: record, bytes) { shared.hub.wants($0, of: record.flow) }
            state.batch.append(record, bytes: bytes, parts: parts)
        } else {
            state.batch.append(record)
        }
        // One turn may read a great deal, so check the sinks' queues within the turn.
        if state.batch.size > Self.batchSize { flush() }
    }

    /// Adds a record of what was on the wire to this turn's batch, with its bytes.
    func record(_ wire: WireRecord, of subject: FlowSubject, bytes: RawSpan = RawSpan()) {
        state.batch.append(wire, of: subject, at: now(), bytes: bytes)
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
}
