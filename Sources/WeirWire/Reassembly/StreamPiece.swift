/// Says whose bytes count where two segments carry different ones for the same place of a stream.
public enum OverlapPolicy: String, Hashable, Sendable, CaseIterable {
    /// Keeps the bytes that came first, as a receiver does.
    ///
    /// Source: RFC 9293 section 3.10.7.4.
    case first
    /// Keeps the bytes that came last, as far as memory reaches.
    case last
}

/// Describes the next part of a stream: bytes in their order, or a gap.
public struct StreamPiece: Hashable, Sendable {
    /// Holds the number that the flow was given to the reassembler with.
    public var flow: Int
    /// Says which way the bytes go.
    public var direction: Direction
    /// Counts the bytes of the stream before this piece.
    public var offset: Int
    /// Counts the bytes of this piece; those of a gap are not there.
    public var count: Int
    /// Holds when the bytes were captured, in nanoseconds since 1970 UTC; nil where that is not known, and for a gap.
    public var time: Int64?
    /// Says whether bytes are there.
    public var content: Content

    /// Creates the description of a piece.
    public init(flow: Int, direction: Direction, offset: Int, count: Int, time: Int64?, content: Content) {
        self.flow = flow
        self.direction = direction
        self.offset = offset
        self.count = count
        self.time = time
        self.content = content
    }

    /// Lists what a piece can be.
    public enum Content: Hashable, Sendable {
        /// Is there, byte for byte.
        case bytes
        /// Was not captured.
        case gap
        /// Was cut off, since packets were captured with a limit on their length.
        case cut
    }
}

/// Says how much a reassembler keeps, and which bytes win.
public struct ReassemblySettings: Hashable, Sendable {
    /// Says whose bytes count where two segments differ.
    public var overlap = OverlapPolicy.first
    /// Bounds what is kept for a flow, in bytes.
    public var flowLimit = 4 << 20
    /// Bounds what is kept for all flows, in bytes.
    public var totalLimit = 256 << 20
    /// Bounds how many given bytes of a direction are kept, to compare retransmissions with.
    public var window = 64 << 10
    /// Says how many more segments of the flow a gap is kept open for once the other side has acknowledged what comes
    /// behind it: packets can be captured in another order than they arrived in.
    public var patience = 32
    /// For how many segments of a stream without SYN its start may still move to one that was captured later.
    ///
    /// Its bytes wait until then, or until they are acknowledged; with 0 they never wait.
    public var startPatience = 3

    /// Creates the settings that are right for most captures.
    public init() {}
}
