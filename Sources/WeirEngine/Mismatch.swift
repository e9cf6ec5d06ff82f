/// A difference from an expected echo; a stream has at most one, a session has one for each datagram that came back
/// changed, and one for all that never did.
public enum Mismatch: Hashable, Sendable {
    /// The first byte that differs: its upstream offset, what was sent there, and what came back.
    ///
    /// `sent` is nil if more came back than was sent; `received` is nil if nothing came back in time.
    case byte(offset: UInt64, sent: UInt8?, received: UInt8?)
    /// A number of datagrams that never came back.
    case unanswered(datagrams: UInt64)
    /// The server could not be reached.
    case refused
}
