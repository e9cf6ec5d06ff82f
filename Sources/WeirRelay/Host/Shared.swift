import Synchronization
import WeirEngine
import WeirWire

/// The state that all event loops of a relay share.
final class Shared: Sendable {
    let configuration: RelayConfiguration
    /// The target of each route, and what its clients must say first.
    let targets: Targets
    let own: OwnListeners
    let hub: SinkHub
    let limits: Limits
    /// The toxics of each route at the start.
    let toxics: [ToxicSet]
    /// The number of flows that each route has had.
    let routeFlows: FlowCounts
    let report: @Sendable (String) -> Void
    let loops: [LoopHandle]

    let flowIDs = Atomic<UInt64>(0)
    let tcpFlows = Atomic<Int>(0)
    let udpSessions = Atomic<Int>(0)
    let mismatches = Atomic<Int>(0)
    /// Whether some loop has stopped accepting, and waits for a flow to end.
    let isAcceptingPaused = Atomic<Bool>(false)
    /// Whether the user was told that the client's port is always taken on the client's own address.
    let ownAddressNotice = OneTimeFlag()
    /// Whether the user was told that the kernel does not count the datagrams that it drops.
    let dropNotice = OneTimeFlag()
    /// Whether the user was told of the limit on flows.
    let limitNotice = OneTimeFlag()
    /// Whether the user was told that the process is out of descriptors.
    let shortageNotice = OneTimeFlag()

    /// The reports of the kernel's refusals, which every client can cause again.
    let refusals: RepeatedReport

    #if TLS
    private let madeTLS: Lock<TLSServices?>
    /// What flows with TLS share; nil if no route has had TLS.
    var tls: TLSServices? { madeTLS.withLock { $0 } }

    /// Makes what flows with TLS share, unless it is there; it may take a while.
    func makeTLS() throws(TLSServicesError) {
        guard tls == nil else { return }
        guard let make = configuration.makeTLS else { throw TLSServicesError("this relay has no settings for TLS") }
        let made = try make()
        if hub.wantsWire { made.keepKeys() }
        made.whenKeyLogFails(report)
        madeTLS.withLock { $0 = made }
    }
    #endif

    init(
        configuration: RelayConfiguration,
        targets: Targets,
        own: OwnListeners,
        hub: SinkHub,
        limits: Limits,
        toxics: [ToxicSet],
        loops: [LoopHandle],
        report: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        #if TLS
        madeTLS = Lock(configuration.tls)
        if hub.wantsWire { configuration.tls?.keepKeys() }
        configuration.tls?.whenKeyLogFails(report)
        #endif
        self.targets = targets
        self.own = own
        self.hub = hub
        self.limits = limits
        self.toxics = toxics
        routeFlows = FlowCounts()
        self.loops = loops
        self.report = report
        refusals = RepeatedReport(report)
    }

    /// Binds a socket that will connect to the configured egress port; returns whether it has a port now.
    func prepareEgress(_ raw: Int32, _ flow: borrowing Flow, to target: Endpoint) -> Bool {
        guard configuration.egressPort != .kernel else { return false }
        let client = flow.path.client
        return EgressBinding.prepare(raw, flow.transport, configuration.egressPort, for: client, to: target) {
            guard ownAddressNotice.isFirst() else { return }
            report(
                "--egress-port same: servers are dialed from the client's own address \(client.address), on which the "
                    + "client's port is always taken; the kernel chooses"
            )
        }
    }

    /// Makes the target that a client has named; a flow to one of the relay's own listeners is refused.
    func target(_ host: HostPort, over transport: Transport) -> Target {
        let own = own
        return Target(later: host, configuration, report: report) { own.contains(transport, $0) }
    }

    func nextFlowID() -> FlowID {
        FlowID(flowIDs.add(1, ordering: .relaxed).newValue)
    }

    /// Counts one more flow of a route.
    ///
    /// - Returns: its number on the route, from 1, and the seed of its randomness, which depends only on the configured
    ///   seed, the route and that number.
    func nextFlow(of route: Int) -> (number: UInt64, seed: UInt64) {
        let number = routeFlows.next(of: route)
        var mixer = SplitMix64(seed: configuration.seed &+ UInt64(route) << 48 &+ number)
        return (number, mixer.next())
    }

    /// Counts one more TCP flow, unless the limit is reached; returns whether it did.
    func reserveFlow() -> Bool {
        var count = tcpFlows.load(ordering: .relaxed)
        while count < limits.tcpFlows {
            let (isDone, now) = tcpFlows.weakCompareExchange(
                expected: count,
                desired: count + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return true }
            count = now
        }
        return false
    }

    /// Returns the index of the loop with the fewest TCP flows; of several, the preferred one or the first.
    func loopWithFewestFlows(preferring preferred: Int = 0) -> Int {
        guard loops.count > 1 else { return preferred }
        var best = preferred
        var least = loops[best].flows.load(ordering: .relaxed)
        for (index, other) in loops.enumerated() {
            let flows = other.flows.load(ordering: .relaxed)
            if flows < least { (best, least) = (index, flows) }
        }
        return best
    }

    /// Counts one TCP flow less.
    func releaseFlow(wakesOthers: Bool = true) {
        tcpFlows.subtract(1, ordering: .sequentiallyConsistent)
        if wakesOthers { flowEnded() }
    }

    /// Tells every loop that a flow has ended, if one of them waits for that.
    func flowEnded() {
        guard isAcceptingPaused.load(ordering: .sequentiallyConsistent),
            isAcceptingPaused.exchange(false, ordering: .acquiringAndReleasing)
        else { return }
        for loop in loops { loop.mailbox.post(.resumeAccepting) }
    }
}

/// The number of flows that each route has had, by the route's number.
final class FlowCounts: Sendable {
    private let counts = Lock<[UInt64]>([])

    /// Returns the number of flows that a route has had.
    subscript(route: Int) -> UInt64 { counts.withLock { route < $0.count ? $0[route] : 0 } }

    /// Counts one more flow of a route, and returns its number, from 1.
    func next(of route: Int) -> UInt64 {
        counts.withLock { counts in
            while counts.count <= route { counts.append(0) }
            counts[route] += 1
            return counts[route]
        }
    }
}

/// An event that happens once, on whichever thread is first.
final class OneTimeFlag: Sendable {
    private let hasHappened = Atomic<Bool>(false)

    /// Returns whether this is the first call.
    func isFirst() -> Bool { !hasHappened.exchange(true, ordering: .relaxed) }
}

/// A thread-safe handle to an event loop.
final class LoopHandle: Sendable {
    let mailbox: Mailbox<LoopMessage>
    /// The number of TCP flows that live on the loop.
    let flows = Atomic<Int>(0)
    /// The number of UDP sessions that live on the loop.
    let sessions = Atomic<Int>(0)
    /// The memory for the loop's batches of records: each has room for a full batch, and for the read that overfills
    /// it.
    let memory = RecycledMemory(size: LoopContext.batchSize + LoopContext.readSize)

    init() throws(SystemError) {
        mailbox = try Mailbox()
    }
}

/// A message to an event loop from another thread.
enum LoopMessage: Sendable {
    /// A connection that another loop accepted, and that will live here.
    case adopt(AcceptedConnection)
    /// A target was resolved again.
    case resolved(Target)
    /// A flow has ended, so that accepting may resume.
    case resumeAccepting
    /// The limit on UDP sessions is exceeded, and this loop has the most.
    case evictSession
    /// A route has new toxics from now on.
    case setToxics(ToxicSet, route: Int, whenDone: @Sendable () -> Void)
    /// No output is full now.
    case sinksReady
    /// A request to accept no more, and to call back when no flow is left.
    case drain(whenIdle: @Sendable () -> Void)
    /// A request to run a closure on the loop's thread.
    case perform(@Sendable (FlowHost) -> Void)
    /// A request to reset every flow.
    case shutdown
    /// A request to end the loop's thread.
    case stop(whenStopped: @Sendable () -> Void)
}

/// The maximum numbers of flows at once.
struct Limits: Hashable, Sendable {
    var tcpFlows: Int
    var udpSessions: Int
}
