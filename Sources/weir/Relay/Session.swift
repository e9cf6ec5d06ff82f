import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// A run of a relay, until a signal, its last output or its program ends it.
struct Session: Sendable {
    private let configuration: RelayConfiguration
    private let grace: Duration
    private let scenario: Scenario?
    private let admin: RelayAdmin?
    /// The program whose traffic is relayed; nil if clients come by themselves.
    private let program: WatchedProgram?
    /// Whether the user asked for the limits on flows and sessions.
    private let asked: (flows: Bool, sessions: Bool)
    private let whenServing: @Sendable (Supervisor) -> Void

    init(
        _ configuration: RelayConfiguration,
        grace: Duration,
        scenario: Scenario? = nil,
        admin: RelayAdmin? = nil,
        program: WatchedProgram? = nil,
        asked: (flows: Bool, sessions: Bool) = (false, false),
        whenServing: @escaping @Sendable (Supervisor) -> Void = { _ in }
    ) {
        self.asked = asked
        self.admin = admin
        self.program = program
        self.whenServing = whenServing
        self.configuration = configuration
        self.grace = grace
        self.scenario = scenario
    }

    private enum Event: Sendable {
        case signal(Int32)
        /// An event loop has failed.
        case loopFailed
        /// The capture has ended, with the program's exit status.
        case captureEnded(ExitStatus)
        case outputClosed
        case outputFailed
        /// The program has ended.
        case programEnded
        /// The relay has ended, and everything is written.
        case ended
        /// The grace period is over, and no output accepts anything.
        case outputsAreStuck
        /// No output accepts anything after a second signal.
        case patienceIsOver
    }

    /// The course of a run.
    private struct Course {
        var status = ExitStatus.done
        var captureIsOver = false
        /// Whether to wait without limit for outputs that are not read: a user who has pressed ^C can press it again,
        /// but a service manager would use SIGKILL.
        var isPatient = true

        /// Stores the exit status of a capture that has ended.
        mutating func captureEnded(_ outcome: ExitStatus) {
            captureIsOver = true
            if outcome != .done { status = outcome }
        }
    }

    /// Serves until a signal or the last output ends the relay.
    ///
    /// - Parameters:
    ///   - outputs: the destinations of the records.
    ///   - recording: the capture that is made from them; it is discarded if the relay cannot start.
    ///   - capture: captures the relay's packets, from before the first client until after the last flow.
    /// - Returns: the program's exit status: 1 if an expectation was not met, 74 if an output has failed.
    /// - Throws: the error of `Supervisor` if it cannot start.
    func run(
        outputs: [SinkOutput],
        _ recording: Recording? = nil,
        _ capture: RelayCapture? = nil
    ) async throws -> ExitStatus {
        let (events, feed) = AsyncStream<Event>.makeStream()
        // The start may wait long for a name: a signal ends it at once.
        Signals.receive { number in
            recording?.discard()
            capture?.discard()
            Signals.end(by: number)
        }
        var configuration = configuration
        configuration.whenLoopFails = { error in
            Diagnostics.print("\(error); nothing can be served")
            feed.yield(.loopFailed)
        }
        let isDiscarded = Lock(false)
        let relay: Supervisor
        do {
            relay = try await Supervisor(
                configuration,
                outputs: outputs,
                report: { Diagnostics.print($0) },
                sinkReport: { report in
                    if case .recorded = report, isDiscarded.withLock({ $0 }) { return }
                    Self.tell(report, feed)
                },
                whenBound: { bound in try capture?.start(bound) { feed.yield(.captureEnded($0)) } }
            )
        } catch {
            recording?.discard()
            capture?.discard()
            throw error
        }
        Signals.receive { number in
            // Lines that are printed from now on must not keep the program from ending; under a watched program most
            // signals end nothing.
            if program == nil { Diagnostics.stopWaiting() }
            feed.yield(.signal(number))
        }
        whenServing(relay)
        announce(relay)
        do {
            try await admin?.begin(relay)
        } catch {
            await relay.stop(grace: .zero)
            throw error
        }
        do {
            try await program?.start(relay) { feed.yield(.programEnded) }
        } catch {
            // Nothing was relayed, and the next attempt needs the name of the file.
            isDiscarded.withLock { $0 = true }
            recording?.discard()
            await relay.stop(grace: .zero)
            throw error
        }
        var course = Course()
        var iterator = events.makeAsyncIterator()
        let running = Task { if let scenario { await relay.run(scenario) { Diagnostics.print($0) } } }
        await serve(&iterator, &course)
        running.cancel()
        let telling = tellWhatIsOpen(relay)
        Task {
            await admin?.stop()
            await relay.stop(grace: grace)
            feed.yield(.ended)
        }
        Self.whenStuck(relay, after: grace, .outputsAreStuck, feed)
        let waits = outputs.contains { $0.overflow == .wait }
        await Self.end(relay, waits: waits, &iterator, &course, feed)
        telling?.cancel()
        if let capture { await Self.end(capture, &iterator, &course) }
        await program?.finish()
        return Self.conclude(course.status, relay)
    }

    /// Waits for an event that ends the relay; a watched program keeps its network whatever happens to outputs.
    private func serve(_ events: inout AsyncStream<Event>.Iterator, _ course: inout Course) async {
        while let event = await events.next() {
            switch event {
            case .signal(let number):
                if let program, !program.endsSession(by: number) { break }
                Diagnostics.stopWaiting()
                course.isPatient = number == SIGINT
                return
            case .programEnded: return
            case .outputClosed: if program == nil { return }
            case .loopFailed:
                course.status = .internalError
                if program == nil { return }
            case .outputFailed: course.status = .inputOutput
            case .captureEnded(let outcome): course.captureEnded(outcome)
            case .ended, .outputsAreStuck, .patienceIsOver: break
            }
        }
    }

    /// Waits until the last packets of the flows are written, or a second signal ends the waiting.
    private static func end(
        _ capture: RelayCapture,
        _ events: inout AsyncStream<Event>.Iterator,
        _ course: inout Course
    ) async {
        guard !course.captureIsOver else { return }
        capture.endWhenQuiet()
        var isHurrying = false
        while let event = await events.next() {
            switch event {
            case .captureEnded(let outcome): return course.captureEnded(outcome)
            case .signal:
                guard !isHurrying else { return }
                isHurrying = true
                capture.end()
            case .outputFailed: course.status = .inputOutput
            case .outputClosed, .programEnded, .ended, .outputsAreStuck, .patienceIsOver, .loopFailed: break
            }
        }
    }

    /// Waits until the relay has ended, or until a second signal or stuck outputs end the waiting.
    private static func end(
        _ relay: Supervisor,
        waits: Bool,
        _ events: inout AsyncStream<Event>.Iterator,
        _ course: inout Course,
        _ feed: AsyncStream<Event>.Continuation
    ) async {
        var isHurrying = false
        while let event = await events.next() {
            switch event {
            case .ended: return
            case .outputFailed: course.status = .inputOutput
            case .captureEnded(let outcome): course.captureEnded(outcome)
            case .outputClosed, .programEnded: break
            case .loopFailed: course.status = .internalError
            case .signal:
                guard !isHurrying else { return }
                isHurrying = true
                Diagnostics.stopWaiting()
                Diagnostics.print("stopped at once")
                relay.hurry()
                whenStuck(relay, after: .zero, .patienceIsOver, feed)
            case .outputsAreStuck where waits && course.isPatient:
                Diagnostics.print(
                    "an output is not being read; waiting for it to take the rest; ^C again stops at once"
                )
            case .outputsAreStuck, .patienceIsOver:
                let names = relay.unfinishedOutputs.joined(separator: ", ")
                return Diagnostics.print("not read for a second: \(names); what was not written there is lost")
            }
        }
    }

    /// Returns the exit status, after reporting mismatches with expected echoes.
    private static func conclude(_ status: ExitStatus, _ relay: Supervisor) -> ExitStatus {
        guard relay.mismatches > 0 else { return status }
        let subject = relay.mismatches == 1 ? "mismatch" : "mismatches"
        Diagnostics.print("\(relay.mismatches) \(subject): what came back is not what was sent (--expect-echo)")
        return .expectationFailed
    }

    /// Sends an event once no output has accepted anything for a second, but not before the delay.
    private static func whenStuck(
        _ relay: Supervisor,
        after delay: Duration,
        _ event: Event,
        _ feed: AsyncStream<Event>.Continuation
    ) {
        Task {
            try? await Task.sleep(for: delay)
            var written: UInt64?
            while written != relay.bytesWritten {
                written = relay.bytesWritten
                try? await Task.sleep(for: .seconds(1))
            }
            feed.yield(event)
        }
    }

    private func announce(_ relay: Supervisor) {
        let hasTCP = configuration.routes.contains { $0.transport == .tcp }
        let hasUDP = configuration.routes.contains { $0.transport == .udp }
        if asked.flows, hasTCP, relay.maxFlows < configuration.maxFlows {
            Diagnostics.print(
                "at most \(Self.count(relay.maxFlows, "TCP flow")) at once: the descriptor limit (ulimit -n) allows no more"
            )
        }
        if asked.sessions, hasUDP, relay.maxSessions < configuration.maxSessions {
            Diagnostics.print(
                "at most \(Self.count(relay.maxSessions, "UDP session")) at once: the descriptor limit (ulimit -n) allows no more"
            )
        }
        for listener in relay.listeners { Diagnostics.write("listening \(listener)\n") }
        if scenario != nil || program?.hasToxics == true || configuration.toxics.values.contains(where: { !$0.isEmpty })
        {
            Diagnostics.write("seed \(configuration.seed)\n")
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// Prints how many flows are open at the end; after a program's end only if they are still open in a moment, as
    /// most of its flows end with it.
    ///
    /// - Returns: the task that waits for that moment.
    private func tellWhatIsOpen(_ relay: Supervisor) -> Task<Void, Never>? {
        guard program != nil else {
            tellWhatIsOpen(relay, "ending", "^C again")
            return nil
        }
        return Task {
            try? await Task.sleep(for: .milliseconds(500))
            if !Task.isCancelled { tellWhatIsOpen(relay, "the command has ended", "^C") }
        }
    }

    private func tellWhatIsOpen(_ relay: Supervisor, _ event: String, _ key: String) {
        let flows = relay.openFlows
        guard flows > 0 else { return }
        let (flowsHave, time) = (flows == 1 ? "1 TCP flow has" : "\(flows) TCP flows have", DurationArgument(grace))
        Diagnostics.print("\(event): \(flowsHave) \(time) to finish; \(key) stops at once")
    }

    private static func tell(_ report: SinkReport, _ feed: AsyncStream<Event>.Continuation) {
        switch report {
        case .failed(let failure):
            if failure.isEndOfInterest {
                // The reader has seen enough (`| head`), so there is nothing left to do.
                feed.yield(.outputClosed)
            } else {
                Diagnostics.print("cannot write to \(failure.name): \(failure.error); nothing more is written there")
                if !failure.isClosed { feed.yield(.outputFailed) }
            }
        case .missed(let failure, let missed):
            let records = missed.records == 1 ? "1 record" : "\(missed.records) records"
            let chunks = missed.chunks == 1 ? "1 chunk" : "\(missed.chunks) chunks"
            let detail = missed.chunks > 0 ? ", among them \(chunks) (\(Self.bytes(missed.bytes)))" : ""
            Diagnostics.print("\(failure.name) did not get \(records)\(detail)")
        case .recorded(let path): Diagnostics.write("recorded \(path)\n")
        case .renewed(let name):
            Diagnostics.print("\(name) was deleted or renamed; a new one is written")
        case .lost(let name, let chunks, let bytes):
            let chunks = chunks == 1 ? "1 chunk" : "\(chunks) chunks"
            Diagnostics.print("\(name) was too slow: it did not get \(chunks) (\(Self.bytes(bytes)))")
        }
    }

    private static func bytes(_ count: some BinaryInteger) -> String { "\(count) byte\(count == 1 ? "" : "s")" }
}
