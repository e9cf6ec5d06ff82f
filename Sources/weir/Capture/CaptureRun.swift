import Glibc
import WeirCapture
import WeirEngine
import WeirRelay

/// A live capture on a thread of its own.
final class CaptureRun: Sendable {
    /// The outcome of a capture.
    struct Outcome: Sendable {
        var progress: CaptureProgress
        /// The error because of which no more packets arrived.
        var failure: CaptureError?
        /// The error because of which an output took no more.
        var outputFailure: SystemError?
    }

    private struct Job: ~Copyable, Sendable {
        var loop: CaptureLoop
        var writer: CaptureWriter
    }

    private let control: CaptureControl
    private let outcomes: AsyncStream<Outcome>

    /// Starts to capture.
    ///
    /// - Parameters:
    ///   - handle: the open capture.
    ///   - limits: the limits at which it ends by itself.
    ///   - writer: the receiver of the packets.
    ///   - whenOver: called on the capture's thread, after everything is written.
    /// - Throws: `SystemError` if the thread cannot be started.
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

    /// Ends the capture; packets that have arrived until now are still recorded.
    func end() { control.end() }

    /// Ends the capture 200 ms after the last packet of a known flow.
    func endWhenQuiet() { control.endWhenQuiet() }

    /// Waits for the end, and returns the outcome.
    func outcome() async -> Outcome? {
        await outcomes.first { _ in true }
    }
}

extension CaptureRun.Outcome {
    /// The program's exit status.
    var status: ExitStatus {
        // EPIPE: the reader has seen enough (`| head`).
        if let outputFailure { return outputFailure.error.rawValue == EPIPE ? .done : .inputOutput }
        return failure == nil ? .done : .unavailable
    }

    /// Reports what was captured on an interface, and the errors that ended it early.
    func report(on interface: String) {
        Diagnostics.print("\(progress.summary) on \(interface)")
        if status == .inputOutput, let outputFailure { Diagnostics.print("\(outputFailure)") }
        if let failure { Diagnostics.print("\(failure)") }
    }
}
