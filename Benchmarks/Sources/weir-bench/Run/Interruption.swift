import CWeirBench

/// Turns SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE into cancellation, so that every child is ended before weir-bench is.
enum Interruption {
    /// Runs the work; cancels it on a signal and waits until it has cleaned up.
    ///
    /// - Returns: The signal that ended it, or nil when the work was done.
    static func run(_ work: @escaping @Sendable () async throws -> Void) async throws -> Int32? {
        weir_bench_watch_signals()
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                try await work()
                return nil
            }
            group.addTask {
                while weir_bench_stop_signal() == 0 { try await Task.sleep(for: .milliseconds(50)) }
                return weir_bench_stop_signal()
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            // The work's error is then only that it was cancelled.
            while let result = await group.nextResult() { _ = result }
            return first
        }
    }
}
