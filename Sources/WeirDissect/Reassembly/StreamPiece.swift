public import WeirWire

/// The choice of bytes if two segments have different ones for the same place of a stream.
public enum OverlapPolicy: String, Hashable, Sendable, CaseIterable {
    /// The bytes that arrived first, as in a receiver.
    ///
    /// Source: RFC 9293 section 3.10.7.4.
    case first
    /// The bytes that arrived last, as far as memory allows.
    case last
}

/// The next part of a stream: bytes in order, or a gap.
public struct StreamPiece: Hashable, Sendable {
    /// The number of the flow, as given to the reassembler.
    public var flow: Int
    /// The direction of the bytes.
    public var direction: Direction
    /// The offset of this piece in the stream, in bytes.
    public var offset: Int
    /// The number of bytes in this piece; those of a gap are missing.
    public var count: Int
    /// The capture time of the bytes, in nanoseconds since 1970 UTC; nil if it is not known, and for a gap.
    public var time: Int64?
    /// The kind of the piece.
    public var content: Content
    /// The layer that the bytes are of.
    public var layer: Layer

    /// Creates a piece from its parts.
    public init(
        flow: Int,
        direction: Direction,
        offset: Int,
        count: Int,
        time: Int64?,
        content: Content,
        layer: Layer = .stream
    ) {
        self.flow = flow
        self.direction = direction
        self.offset = offset
        self.count = count
        self.time = time
        self.content = content
        self.layer = layer
    }

    /// The layer that bytes are of, where a stage decrypts some of them.
    public enum Layer: Hashable, Sendable {
        /// The stream itself, as it was captured.
        case stream
        /// The handshake of a connection whose content is decrypted: its messages are in the clear.
        case handshake
        /// What was encrypted.
        case decrypted
    }

    /// The kind of a piece.
    public enum Content: Hashable, Sendable {
        /// Bytes that are all there.
        case bytes
        /// Bytes that were not captured.
        case gap
        /// Bytes that were cut off, because the capture limited the length of packets.
        case cut
        /// Bytes between decrypted ones that cannot be decrypted; `count` is that of the encrypted bytes.
        case encrypted
    }
}

/// The limits of a reassembler, and its choice between different bytes.
public struct ReassemblySettings: Hashable, Sendable {
    /// The choice of bytes if two segments differ.
    public var overlap = OverlapPolicy.first
    /// The maximum number of bytes that are kept for a flow.
    public var flowLimit = 4 << 20
    /// The maximum number of bytes that are kept for all flows.
    public var totalLimit = 256 << 20
    /// The number of delivered bytes of a direction that are kept, to compare retransmissions with.
    public var window = 64 << 10
    /// The number of segments of the flow for which a gap stays open after the other side acknowledged bytes past it.
    ///
    /// Packets can be captured in another order than they arrived in.
    public var patience = 32
    /// The number of segments of a stream without SYN for which its start may still move to a later captured one.
    ///
    /// Its bytes wait until then, or until they are acknowledged; with 0 they never wait.
    public var startPatience = 3

    /// Creates the settings for most captures.
    public init() {}
}
