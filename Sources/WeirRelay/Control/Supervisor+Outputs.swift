public import WeirAnalysis
import WeirWire

/// Adding and removing outputs while the relay runs.
extension Supervisor {
    /// An output that was attached.
    public struct Attachment: Sendable {
        let worker: SinkWorker
    }

    /// Adds an output, which gets all records from now on.
    ///
    /// - Throws: `SystemError` if its thread cannot be started.
    public func attach(_ output: SinkOutput) async throws(SystemError) -> Attachment {
        let attachment = Attachment(worker: try shared.hub.add(output))
        await followInterest()
        return attachment
    }

    /// Removes an output, and waits until it has written everything that it had.
    public func detach(_ attachment: Attachment) async {
        // Earlier records are still in the loops' batches.
        for loop in shared.loops { _ = await on(loop) { $0.loop.flush() } }
        await shared.hub.remove(attachment.worker)
        await followInterest()
    }

    /// Asks the outputs again for their interest; call it when an output's interest has changed.
    public func reconsiderOutputs() async {
        shared.hub.reconsider()
        await followInterest()
    }

    private func followInterest() async {
        for loop in shared.loops { _ = await on(loop) { $0.followInterest() } }
    }
}

extension Supervisor {
    /// The ranges from which the relay's own ports, and those of clients on this host, now come.
    public nonisolated var portRanges: OwnPortRanges {
        OwnPortRanges(host: HostPorts.range(), egressPort: shared.configuration.egressPort)
    }
}
