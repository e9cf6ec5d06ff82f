import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Runs a relay until a signal or its last output ends it.
struct Session: Sendable {
    private let configuration: RelayConfiguration
    private let grace: Duration

    init(_ configuration: RelayConfiguration, grace: Duration) {
        self.configuration = configuration
        self.grace = grace
    }

    private enum Event: Sendable {
        case signal
        case outputClosed
        case outputFailed
        /// Everything has ended well.
        case ended
        /// The time that the outputs had to take the rest is over.
        case outputsAreLate
        /// The time that a second signal leaves is over.
        case patienceIsOver
    }

    /// Is how soon after the first signal a second one is taken for the same: timeout(1) sends two.
    private static let sameSignal = Duration.milliseconds(250)
    /// Is how long the outputs may take after the last flow before the user is told that they are waited for.
    private static let outputTime = Duration.seconds(1)
    /// Is how long resetting the flows and writing the rest may take after a second signal.
    private static let patience = Duration.milliseconds(500)

    /// Serves until it is told to end.
    ///
    /// - Parameter outputs: where the records go.
    /// - Returns: what the program is to exit with: 74 where an output has failed.
    func run(outputs: [SinkOutput]) async throws -> ExitStatus {
        let (events, feed) = AsyncStream<Event>.makeStream()
        Signals.receive { _ in feed.yield(.signal) }
        let relay = try await Supervisor(
            configuration,
            outputs: outputs,
            report: { Diagnostics.print($0) },
            sinkReport: { Self.tell($0, feed) }
        )
        announce(relay)
        var status = ExitStatus.done
        var iterator = events.makeAsyncIterator()
        waiting: while let event = await iterator.next() {
            switch event {
            case .signal, .outputClosed: break waiting
            case .outputFailed: status = .inputOutput
            case .ended, .outputsAreLate, .patienceIsOver: break
            }
        }
        tellWhatIsOpen(relay)
        let first = ContinuousClock.now
        Task {
            await relay.stop(grace: grace)
            feed.yield(.ended)
        }
        Self.later(grace + Self.outputTime, .outputsAreLate, feed)
        let waits = outputs.contains { $0.overflow == .wait }
        while let event = await iterator.next() {
            switch event {
            case .ended: return status
            case .outputFailed: status = .inputOutput
            case .outputClosed: break
            case .signal:
                guard ContinuousClock.now - first > Self.sameSignal else { break }
                relay.resetFlows()
                Self.later(Self.patience, .patienceIsOver, feed)
            case .outputsAreLate where waits:
                Diagnostics.print(
                    "an output is not being read; waiting for it to take the rest; ^C again stops at once"
                )
            case .outputsAreLate, .patienceIsOver:
                Diagnostics.print("stopped at once: an output did not take the rest, which is lost")
                return status
            }
        }
        return status
    }

    private static func later(_ delay: Duration, _ event: Event, _ feed: AsyncStream<Event>.Continuation) {
        Task {
            try? await Task.sleep(for: delay)
            feed.yield(event)
        }
    }

    private func announce(_ relay: Supervisor) {
        let hasTCP = configuration.routes.contains { $0.transport == .tcp }
        let hasUDP = configuration.routes.contains { $0.transport == .udp }
        if hasTCP, relay.maxFlows < configuration.maxFlows {
            Diagnostics.print(
                "TCP flows at once: \(relay.maxFlows) at most; the descriptor limit (ulimit -n) allows no more"
            )
        }
        if hasUDP, relay.maxSessions < configuration.maxSessions {
            Diagnostics.print(
                "UDP sessions at once: \(relay.maxSessions) at most; the descriptor limit (ulimit -n) allows no more"
            )
        }
        for listener in relay.listeners { Diagnostics.write("listening \(listener)\n") }
    }

    private func tellWhatIsOpen(_ relay: Supervisor) {
        let flows = relay.openFlows
        guard flows > 0 else { return }
        let milliseconds = grace.inNanoseconds / 1_000_000
        let seconds = milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(Double(milliseconds) / 1000)"
        let flowsHave = flows == 1 ? "1 TCP flow has" : "\(flows) TCP flows have"
        Diagnostics.print("ending: \(flowsHave) \(seconds) s to finish; ^C again stops at once")
    }

    private static func tell(_ report: SinkReport, _ feed: AsyncStream<Event>.Continuation) {
        switch report {
        case .failed(let name, let error, let othersLeft):
            // EBADF is what a standard output gives that was closed from the start (`>&-`).
            if error.rawValue == EPIPE || error.rawValue == EBADF, othersLeft == 0 {
                // The reader has seen enough (`| head`): there is nothing left to do.
                feed.yield(.outputClosed)
            } else {
                Diagnostics.print("cannot write to \(name): \(error); nothing more is written there")
                feed.yield(.outputFailed)
            }
        case .lost(let name, let chunks, let bytes):
            Diagnostics.print("\(name) was too slow: \(chunks) chunks (\(bytes) bytes) were left out")
        }
    }
}
