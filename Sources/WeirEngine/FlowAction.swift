public import WeirWire

/// What a flow asks the relay to do; one switch of the relay (`FlowHost`) performs all actions.
public enum FlowAction: Hashable, Sendable {
    /// Dial the server's address with this index, from 0, and close an earlier attempt.
    case connect(attempt: Int)
    /// Offer the chunk just received to the kernel, and report how much it took with `sent`.
    case send(Direction)
    /// Offer the front of the direction's queue to the kernel, and report how much it took with `sent`.
    case sendQueued(Direction)
    /// Half-close: no byte follows in this direction.
    case finish(Direction)
    /// Reset the receiver of a direction after the kernel has delivered what it holds for it, at the latest at the
    /// given instant; then report `resetDone`. A later `reset` of the same direction brings the instant forward.
    case reset(by: Instant, Direction)
    /// Stop reading a direction's source.
    case pauseReading(Direction)
    /// Read a direction's source again.
    case resumeReading(Direction)
    /// Send the event `wake` at an instant; a later `wake` action replaces it.
    case wake(at: Instant)
    /// Hand the turn's record at this place to the sinks.
    case record(Int)
    /// Forget the flow: its descriptors are closed, and no event may follow.
    case close(CloseReason)
}

/// The reason why a flow ended.
public enum CloseReason: String, Hashable, Sendable, CaseIterable {
    /// Both sides sent their last byte.
    case finished
    /// The client reset.
    case clientReset = "client reset"
    /// The server reset.
    case serverReset = "server reset"
    /// No address of the server could be reached.
    case refused
    /// No byte moved for as long as the idle time-out.
    case idle
    /// Another flow needed its place.
    case evicted
    /// A handshake of TLS failed, or what a side sent could not be decrypted.
    case tls = "tls failed"
    /// A request closed it, or its route, for example through the control API.
    case requested = "closed on request"
    /// A toxic ended or reset the flow.
    case toxic
    /// The relay ended.
    case shutdown
}
