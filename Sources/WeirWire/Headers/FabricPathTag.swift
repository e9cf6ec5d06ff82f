/// The tag after the outer Ethernet header of a frame in a Cisco FabricPath network.
///
/// ```
///  0 forwarding tag (10 bits), time to live (6)
/// ```
/// It follows the EtherType 0x8903. After it comes the frame's own Ethernet header.
///
/// Source: Cisco, "FabricPath Switching Configuration Guide", FabricPath Encapsulation.
public struct FabricPathTag: Hashable, Sendable {
    /// The size of the tag in bytes.
    public static let size = 2

    /// The forwarding tag, which identifies the tree that the frame is forwarded on, 0 to 1023.
    public var tree: UInt16
    /// The maximum number of switches that may still forward the frame, 0 to 63.
    public var timeToLive: UInt8

    /// Creates a tag from its parts.
    public init(tree: UInt16, timeToLive: UInt8 = 32) {
        self.tree = tree & 0x3ff
        self.timeToLive = timeToLive & 0x3f
    }

    private enum Layout {
        static let word = HeaderNumber<UInt16>(at: 0)
    }
}

extension FabricPathTag {
    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 2 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let word = bytes.load(Layout.word, at: offset)
        self.init(tree: word >> 6, timeToLive: UInt8(truncatingIfNeeded: word))
    }

    /// Appends the 2 bytes of the tag.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store((tree & 0x3ff) << 6 | UInt16(timeToLive & 0x3f), in: Layout.word)
            return Self.size
        }
    }
}
