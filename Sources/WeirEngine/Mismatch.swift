/// A difference from an expected echo; a stream has at most one, a session has one for each datagram that came back
/// changed, and one for all that never did.
public enum Mismatch: Hashable, Sendable {
    /// The first byte that differs: its upstream offset, what was sent there, and what came back.
    ///
    /// `sent` is nil if more came back than was sent; `received` is nil if nothing came back in time.
    case byte(offset: UInt64, sent: UInt8?, received: UInt8?, around: MismatchBytes = MismatchBytes())
    /// A number of datagrams that never came back.
    case unanswered(datagrams: UInt64)
    /// The server could not be reached.
    case refused
}

/// The bytes around a byte that differs, for a reader; they are no part of the difference, so all are equal.
public struct MismatchBytes: Hashable, Sendable {
    /// The number of bytes before the one that differs, of what was sent and of what came back.
    public var lead = 0
    /// What was sent, up to 16 bytes.
    public var sent: [UInt8] = []
    /// What came back, up to 16 bytes.
    public var received: [UInt8] = []

    /// The maximum number of bytes before the one that differs, and of those from there on.
    static let half = 8

    /// Creates no bytes.
    public init() {}

    /// Returns true.
    public static func == (left: MismatchBytes, right: MismatchBytes) -> Bool { true }

    /// Hashes nothing.
    public func hash(into hasher: inout Hasher) {}
}
