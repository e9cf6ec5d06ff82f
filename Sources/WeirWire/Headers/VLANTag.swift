/// A tag of IEEE 802.1Q, with the EtherType after it.
///
/// ```
///  0 priority (3 bits), drop eligible (1 bit), identifier (12 bits)    2 type
/// ```
/// It follows the EtherType 0x8100 or, as the outer one of two ("QinQ"), 0x88a8 or the older 0x9100.
///
/// Source: IEEE Std 802.1Q-2018 section 9.6.
public struct VLANTag: Hashable, Sendable {
    /// The size of the tag, with the type after it, in bytes.
    public static let size = 4

    /// The priority, 0 to 7.
    public var priority: UInt8
    /// Whether the frame is among the first to be dropped.
    public var isDropEligible: Bool
    /// The VLAN identifier, 0 to 4095; 0 if only the priority counts.
    public var identifier: UInt16
    /// The protocol that follows.
    public var type: EtherType

    /// Creates a tag from its parts.
    public init(priority: UInt8 = 0, isDropEligible: Bool = false, identifier: UInt16, type: EtherType) {
        self.priority = priority & 7
        self.isDropEligible = isDropEligible
        self.identifier = identifier & 0xfff
        self.type = type
    }

    private enum Layout {
        static let control = HeaderNumber<UInt16>(at: 0)
        static let type = HeaderNumber<UInt16>(at: 2)
    }
}

extension VLANTag {
    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 4 bytes.
    @inline(__always)
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let control = bytes.load(Layout.control, at: offset)
        self.init(
            priority: UInt8(truncatingIfNeeded: control >> 13),
            isDropEligible: control & 0x1000 != 0,
            identifier: control,
            type: EtherType(rawValue: bytes.load(Layout.type, at: offset))
        )
    }

    /// Appends the 4 bytes of the tag.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            let control = UInt16(priority & 7) << 13 | (isDropEligible ? 0x1000 : 0) | identifier & 0xfff
            room.store(control, in: Layout.control)
            room.store(type.rawValue, in: Layout.type)
            return Self.size
        }
    }
}
