import Glibc
import Histogram

/// Makes calls that the kernel answers at once, over and over: what a filter of system calls costs.
final class CallLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private static let batch: UInt64 = 1000
    private let duration: UInt64
    private let hasArguments: Bool

    /// Prepares.
    init(_ settings: LoadSettings) {
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        hasArguments = settings.kind == .checkedCall
    }

    /// Takes the mean of each 1,000 calls, as reading the clock takes as long as some calls.
    func run() throws(BenchError) -> LoadOutcome {
        var outcome = LoadOutcome()
        var latencies = LoadOutcome.emptyHistogram()
        var now = Clock.nanoseconds()
        let deadline = now + duration
        while now < deadline {
            if hasArguments {
                // A receive that wants no source, from no socket.
                for _ in 0..<Self.batch { _ = recv(-1, nil, 0, 0) }
            } else {
                for _ in 0..<Self.batch { _ = getppid() }
            }
            let end = Clock.nanoseconds()
            latencies.record((end &- now &+ Self.batch / 2) / Self.batch)
            outcome.operations &+= Self.batch
            now = end
        }
        (outcome.end, outcome.latencies) = (now, latencies)
        return outcome
    }
}
