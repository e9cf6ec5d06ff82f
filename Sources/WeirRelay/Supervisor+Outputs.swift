import WeirFlow
import WeirWire

/// How outputs come and go while the relay runs.
extension Supervisor {
    /// Names an output that was attached.
    public struct Attachment: Sendable {
        let worker: SinkWorker
    }

    /// Gives the records from now on to one more output.
    ///
    /// - Throws: `SystemError` where its thread cannot be started.
    public func attach(_ output: SinkOutput) async throws(SystemError) -> Attachment {
        let attachment = Attachment(worker: try shared.hub.add(output))
        await followInterest()
        return attachment
    }

    /// Takes an output back, and waits until it has written all that it had.
    public func detach(_ attachment: Attachment) async {
        // What happened before is in the loops' batches.
        for loop in shared.loops { _ = await on(loop) { $0.flush() } }
        await shared.hub.remove(attachment.worker)
        await followInterest()
    }

    /// Asks the outputs again what they want: to be called when an output's interest has changed.
    public func reconsiderOutputs() async {
        shared.hub.reconsider()
        await followInterest()
    }

    private func followInterest() async {
        for loop in shared.loops { _ = await on(loop) { $0.followInterest() } }
    }
}
