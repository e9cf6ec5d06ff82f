import Synchronization
import WeirFlow
import WeirWire

/// Holds what all event loops of a relay share.
final class Shared: Sendable {
    let configuration: RelayConfiguration
    /// Holds the targets, one for each route; nil for a route that sends back what comes.
    let targets: Targets
    let own: OwnListeners
    let hub: SinkHub
    let limits: Limits
    /// Holds the toxics of each route, as they are at the start.
    let toxics: [ToxicSet]
    /// Counts the flows that each route has had.
    let routeFlows: FlowCounts
    let report: @Sendable (String) -> Void
    let loops: [LoopHandle]

    let flowIDs = Atomic<UInt64>(0)
    let tcpFlows = Atomic<Int>(0)
    let udpSessions = Atomic<Int>(0)
    let mismatches = Atomic<Int>(0)
    /// Tells that some loop has stopped accepting, and waits for a flow to end.
    let isAcceptingPaused = Atomic<Bool>(false)
    /// Is when the user is told that the client's own address has no port to share.
    let ownAddressNotice = Once()
    /// When the user is told that datagrams come from a listener of the relay.
    let loopNotice = Once()
    /// Is when the user is told of the bound on flows.
    let limitNotice = Once()
    /// Is when the user is told that descriptors have run out.
    let shortageNotice = Once()

    /// Tells what the kernel refuses, which each client can cause again.
    let refusals: RepeatedReport

    init(
        configuration: RelayConfiguration,
        targets: [Target?],
        own: OwnListeners,
        hub: SinkHub,
        limits: Limits,
        toxics: [ToxicSet],
        loops: [LoopHandle],
        report: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.targets = Targets(targets)
        self.own = own
        self.hub = hub
        self.limits = limits
        self.toxics = toxics
        routeFlows = FlowCounts()
        self.loops = loops
        self.report = report
        refusals = RepeatedReport(report)
    }

    /// Gives a socket that is to connect the port that was asked for; says whether it has one now.
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

    func nextFlowID() -> FlowID {
        FlowID(flowIDs.add(1, ordering: .relaxed).newValue)
    }

    /// Counts one more flow of a route.
    ///
    /// - Returns: its number on the route, from 1, and the seed of its randomness, which depends on nothing else.
    func nextFlow(of route: Int) -> (number: UInt64, seed: UInt64) {
        let number = routeFlows.next(of: route)
        var mixer = SplitMix64(seed: configuration.seed &+ UInt64(route) << 48 &+ number)
        return (number, mixer.next())
    }

    /// Counts one more TCP flow, unless there are as many as there may be.
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

/// Counts the flows that each route has had, by the route's number.
final class FlowCounts: Sendable {
    private let counts = Lock<[UInt64]>([])

    /// Counts the flows that a route has had.
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

/// Happens once, whichever thread comes first.
final class Once: Sendable {
    private let hasHappened = Atomic<Bool>(false)

    /// Says whether this is the first time that it is asked.
    func isFirst() -> Bool { !hasHappened.exchange(true, ordering: .relaxed) }
}

/// Is how other threads reach an event loop.
final class LoopHandle: Sendable {
    let mailbox: Mailbox<LoopMessage>
    /// Counts the TCP flows that live on the loop.
    let flows = Atomic<Int>(0)
    /// Counts the UDP sessions that live on the loop.
    let sessions = Atomic<Int>(0)
    /// Keeps memory for the loop's batches of records: room for what one holds, and the read that makes it too many.
    let memory = RecycledMemory(size: EventLoop.batchSize + EventLoop.readSize)

    init() throws(SystemError) {
        mailbox = try Mailbox()
    }
}

/// Says what a loop is told from outside.
enum LoopMessage: Sendable {
    /// A connection that another loop has accepted lives here.
    case adopt(AcceptedConnection)
    /// A route's target was resolved again.
    case resolved(route: Int)
    /// A flow has ended, so that accepting may go on.
    case resumeAccepting
    /// There are more UDP sessions than there may be, and this loop has the most.
    case evictSession
    /// A route has other toxics from now on.
    case setToxics(ToxicSet, route: Int, whenDone: @Sendable () -> Void)
    /// No output is full any more.
    case sinksReady
    /// Accept no more, and say so when no flow is left.
    case drain(whenIdle: @Sendable () -> Void)
    /// Do something on the loop's thread.
    case perform(@Sendable (EventLoop) -> Void)
    /// Reset every flow.
    case shutdown
    /// End the loop's thread.
    case stop(whenStopped: @Sendable () -> Void)
}

/// Bounds how many flows there may be at once.
struct Limits: Hashable, Sendable {
    var tcpFlows: Int
    var udpSessions: Int
}
