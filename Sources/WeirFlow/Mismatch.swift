/// Describes where an echo that was expected is none; a stream has at most one, a session one
/// for each datagram that came back changed, and one for all that never did.
public enum Mismatch: Hashable, Sendable {
    /// The first byte that differs: its offset upstream, what was sent there, and what came back.
    ///
    /// `sent` is nil where more came back than was sent; `received` is nil where nothing came back in time.
    case byte(offset: UInt64, sent: UInt8?, received: UInt8?)
    /// A number of datagrams that never came back.
    case unanswered(datagrams: UInt64)
    /// The server could not be reached.
    case refused
}
