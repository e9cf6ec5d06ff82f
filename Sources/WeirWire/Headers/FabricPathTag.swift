/// Holds the tag behind the outer Ethernet header of a frame that crosses a Cisco FabricPath.
///
/// ```
///  0 forwarding tag (10 bits), time to live (6)
/// ```
/// It stands behind the type 0x8903. What follows is the frame's own Ethernet header.
///
/// Source: Cisco, "FabricPath Switching Configuration Guide", FabricPath Encapsulation.
public struct FabricPathTag: Hashable, Sendable {
    /// Gives the size of the tag in bytes.
    public static let size = 2

    /// Names the tree that the frame is forwarded by, 0 to 1023.
    public var tree: UInt16
    /// Holds how many more switches may pass the frame on, 0 to 63.
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
    /// Parses the tag that begins at an offset, behind the type that announces it.
    ///
    /// - Throws: `DecodeError.truncated` where there are under 2 bytes.
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
