import CWeirBench
import Synchronization

/// Begins many TLS handshakes at once, and meanwhile times round trips on plain flows of the same relay.
///
/// The handshakes have a lower priority than the relay and the round trips: what is timed is how long the relay leaves a flow waiting, not
/// how the kernel shares the processor.
final class BurstLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private final class SharedResult: Sendable {
        let value = Mutex<Result<LoadOutcome, BenchError>>(.success(LoadOutcome()))
    }

    private static let patience = 120.0
    private let handshakes: SecuredConnectLoad
    private let pings: PingLoad
    private let areDone = StopFlag()

    /// Prepares the handshakes and makes one round trip on each plain flow.
    init(_ settings: LoadSettings, connections count: Int) throws(BenchError) {
        handshakes = try SecuredConnectLoad(settings, connections: count)
        var besides = LoadSettings(kind: .ping, port: settings.plainPort)
        besides.connections = Agreed.besides
        besides.rate = settings.rate
        besides.seconds = Self.patience
        pings = try PingLoad(besides, connections: besides.connections, until: areDone)
    }

    func run() throws(BenchError) -> LoadOutcome {
        let result = SharedResult()
        let thread = try WorkerThread { [handshakes, areDone] in
            weir_bench_yield_priority()
            let handshaken = Result { () throws(BenchError) in try handshakes.run() }
            result.value.withLock { $0 = handshaken }
            areDone.set()
        }
        let waits = try pings.run()
        thread.join()
        var outcome = try result.value.withLock { $0 }.get()
        outcome.latencies = waits.latencies
        return outcome
    }
}
