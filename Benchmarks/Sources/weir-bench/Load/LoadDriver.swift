import Glibc
import Synchronization

/// One thread of load: its set-up is the initialiser, and only `run` is measured.
///
/// Sendable without a check: the driver makes it, then exactly one thread uses it.
protocol LoadWorker: AnyObject, Sendable {
    /// Does the work until its time is over.
    func run() throws(BenchError) -> LoadOutcome
}

/// Runs a load over its threads and reads the processor time of everyone who takes part.
enum LoadDriver {
    /// Does what the settings say and returns what came of it.
    static func run(_ settings: LoadSettings) throws(BenchError) -> LoadReport {
        if settings.kind == .hold || settings.kind == .securedHold { return try HoldLoad.run(settings) }
        var workers: [any LoadWorker] = []
        for index in 0..<max(1, min(settings.threads, settings.connections)) {
            workers.append(try makeWorker(settings, share: settings.share(ofThread: index)))
        }
        let relay = settings.relay.map(ProcessGroup.init(identifier:))
        let relaySeconds = { settings.isWatched ? secondsOfParent() : relay?.processorSeconds() }
        let server = settings.server.map(ProcessGroup.init(identifier:))
        let groups = Set([settings.relay, settings.server, getpgrp()].compactMap { $0 })
        let others = ProcessStatus.secondsOfOthers(than: groups, among: ProcessStatus.all())
        let before = (relaySeconds(), server?.processorSeconds(), Clock.ownProcessorSeconds())
        let start = Clock.nanoseconds()
        let outcome = try measure(workers)
        var report = LoadReport(bytes: outcome.bytes, operations: outcome.operations)
        report.startNanoseconds = start
        report.seconds = Clock.seconds(from: start, to: outcome.end)
        report.clientSeconds = Clock.ownProcessorSeconds() - before.2
        report.relaySeconds = difference(relaySeconds(), before.0)
        report.serverSeconds = difference(server?.processorSeconds(), before.1)
        let othersNow = ProcessStatus.secondsOfOthers(than: groups, among: ProcessStatus.all())
        report.otherSeconds = difference(othersNow, others)
        report.latency = outcome.points
        if [.datagrams, .receiveCall, .echoCall].contains(settings.kind) {
            report.lost = outcome.lost
            report.late = outcome.late
        }
        return report
    }

    private static func makeWorker(_ settings: LoadSettings, share: Int) throws(BenchError) -> any LoadWorker {
        switch settings.kind {
        case .stream, .hold: try StreamLoad(settings, connections: share)
        case .ping: try PingLoad(settings, connections: share)
        case .connect: try ConnectLoad(settings, connections: share)
        case .datagrams: try DatagramLoad(settings, clients: share)
        case .call, .checkedCall: CallLoad(settings)
        case .connectCall, .refusedCall: try ConnectCallLoad(settings)
        case .sendCall, .receiveCall, .echoCall: try DatagramCallLoad(settings)
        case .messages: try MessageLoad(settings)
        case .securedStream, .securedHold: try SecuredStreamLoad(settings, connections: share)
        case .securedConnect: try SecuredConnectLoad(settings, connections: share)
        case .burst: try BurstLoad(settings, connections: share)
        }
    }

    private static func measure(_ workers: [any LoadWorker]) throws(BenchError) -> LoadOutcome {
        if workers.count == 1, let only = workers.first { return try only.run() }
        let results = Mutex<[Result<LoadOutcome, BenchError>]>([])
        var threads: [WorkerThread] = []
        for worker in workers {
            threads.append(
                try WorkerThread {
                    let result = Result { () throws(BenchError) in try worker.run() }
                    results.withLock { $0.append(result) }
                }
            )
        }
        for thread in threads { thread.join() }
        var total = LoadOutcome()
        for result in results.withLock({ $0 }) { total.add(try result.get()) }
        return total
    }

    /// Returns the processor time of the parent, which watches this process and is in the same group, in seconds.
    private static func secondsOfParent() -> Double? {
        TextFile.read("/proc/\(getppid())/stat").flatMap { ProcessStatus(parsing: $0) }
            .map { ProcessStatus.seconds(ofTicks: $0.ticks) }
    }

    private static func difference(_ after: Double?, _ before: Double?) -> Double? {
        guard let after, let before else { return nil }
        return max(0, after - before)
    }
}
