import Glibc
import WeirCapture
import WeirFlow
import WeirRelay

/// Is a live capture on a thread of its own.
final class CaptureRun: Sendable {
    /// Says what a capture has come to.
    struct Outcome: Sendable {
        var progress: CaptureProgress
        /// Says why no more packets came.
        var failure: CaptureError?
        /// Says why an output took no more.
        var outputFailure: SystemError?
    }

    private struct Job: ~Copyable, Sendable {
        var loop: CaptureLoop
        var writer: CaptureWriter
    }

    private let control: CaptureControl
    private let outcomes: AsyncStream<Outcome>

    /// Starts to read.
    ///
    /// - Parameters:
    ///   - handle: the open capture.
    ///   - limits: when it ends by itself.
    ///   - writer: takes the packets.
    ///   - whenOver: is told on the capture's thread, when everything is written.
    /// - Throws: where there can be no thread.
    init(
        _ handle: consuming CaptureHandle,
        limits: CaptureLimits = CaptureLimits(),
        writer: consuming CaptureWriter,
        whenOver: @escaping @Sendable (Outcome) -> Void = { _ in }
    ) throws(SystemError) {
        let control = CaptureControl()
        let (outcomes, feed) = AsyncStream<Outcome>.makeStream()
        self.control = control
        self.outcomes = outcomes
        let job = Lock<Job?>(Job(loop: CaptureLoop(handle, limits: limits, control: control), writer: writer))
        try startThread(named: "weir-capture") {
            guard var job = job.withLock({ $0.take() }) else { return }
            let (progress, failure) = job.loop.run(&job.writer)
            job.writer.finish(progress)
            let outcome = Outcome(progress: progress, failure: failure, outputFailure: job.writer.failure)
            whenOver(outcome)
            feed.yield(outcome)
        }
    }

    /// Ends the capture; what has arrived until now is still taken.
    func end() { control.end() }

    /// Ends the capture 200 ms after the last packet of a flow.
    func endWhenQuiet() { control.endWhenQuiet() }

    /// Waits for the end.
    func outcome() async -> Outcome? {
        await outcomes.first { _ in true }
    }
}

extension CaptureRun.Outcome {
    /// Says what the program is to exit with.
    var status: ExitStatus {
        // The reader has seen enough (`| head`).
        if let outputFailure { return outputFailure.error.rawValue == EPIPE ? .done : .inputOutput }
        return failure == nil ? .done : .unavailable
    }

    /// Says what was captured on an interface, and what ended it before its time.
    func report(on interface: String) {
        Diagnostics.print("\(progress.summary) on \(interface)")
        if status == .inputOutput, let outputFailure { Diagnostics.print("\(outputFailure)") }
        if let failure { Diagnostics.print("\(failure)") }
    }
}
