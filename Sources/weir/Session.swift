import Glibc
import Synchronization
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
    }

    func run(outputs: [SinkOutput]) async throws {
        let (events, feed) = AsyncStream<Event>.makeStream()
        Signals.receive { _ in feed.yield(.signal) }
        let relay = try await Supervisor(
            configuration,
            outputs: outputs,
            report: { Diagnostics.print($0) },
            sinkReport: { Self.tell($0, feed) }
        )
        announce(relay)
        for await event in events {
            guard await drains(relay, for: event) else { continue }
            break
        }
        let ending = Task {
            await relay.stop(grace: grace)
        }
        let second = Task {
            var isHurrying = false
            for await event in events {
                guard case .signal = event else { continue }
                if isHurrying { Self.exitNow(relay) }
                isHurrying = true
                Diagnostics.print("stopped at once")
                relay.hurry()
                Task { await Self.exitWhenStuck(relay) }
            }
        }
        await ending.value
        second.cancel()
        guard relay.mismatches == 0 else { throw Self.failure(relay.mismatches) }
    }

    private static func failure(_ mismatches: Int) -> Failure {
        let subject = mismatches == 1 ? "mismatch: what" : "mismatches: what"
        return Failure(.expectationFailed, "\(mismatches) \(subject) came back is not what was sent (--expect-echo)")
    }

    /// Ends the program without waiting for what is left.
    private static func exitNow(_ relay: Supervisor) -> Never {
        if relay.mismatches > 0 { Diagnostics.print(failure(relay.mismatches).message) }
        Glibc.exit((relay.mismatches > 0 ? ExitStatus.expectationFailed : .done).rawValue)
    }

    /// Ends the program once no output has taken anything for a second: what is stuck is not waited for.
    private static func exitWhenStuck(_ relay: Supervisor) async {
        var written: UInt64?
        while written != relay.bytesWritten {
            written = relay.bytesWritten
            try? await Task.sleep(for: .seconds(1))
        }
        exitNow(relay)
    }

    private func announce(_ relay: Supervisor) {
        let hasTCP = configuration.routes.contains { $0.transport == .tcp }
        let hasUDP = configuration.routes.contains { $0.transport == .udp }
        if hasTCP, relay.maxFlows < configuration.maxFlows {
            Diagnostics.print(
                "at most \(relay.maxFlows) TCP flows at once: the descriptor limit (ulimit -n) allows no more"
            )
        }
        if hasUDP, relay.maxSessions < configuration.maxSessions {
            Diagnostics.print(
                "at most \(relay.maxSessions) UDP sessions at once: the descriptor limit (ulimit -n) allows no more"
            )
        }
        for listener in relay.listeners { Diagnostics.write("listening \(listener)\n") }
    }

    /// Says whether an event ends the relay, and tells the user.
    private func drains(_ relay: Supervisor, for event: Event) async -> Bool {
        switch event {
        case .outputClosed: return true
        case .signal:
            let flows = relay.openFlows
            if flows > 0 {
                let (subject, time) = (flows == 1 ? "flow has" : "flows have", DurationArgument(grace))
                Diagnostics.print("ending: \(flows) TCP \(subject) \(time) to finish; ^C again stops at once")
            }
            return true
        }
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
            }
        case .renewed(let name):
            Diagnostics.print("\(name) was deleted or renamed; a new one is written")
        case .lost(let name, let chunks, let bytes):
            Diagnostics.print("\(name) was too slow: \(chunks) chunks (\(bytes) bytes) were left out")
        }
    }
}
