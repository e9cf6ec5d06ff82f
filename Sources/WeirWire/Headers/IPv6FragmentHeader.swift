/// The extension header of an IPv6 fragment.
///
/// ```
///  0 next header    1 reserved    2 offset in units of 8 bytes (13 bits), reserved (2), more fragments (1)
///  4 identification
/// ```
/// Source: RFC 8200 section 4.5.
public struct IPv6FragmentHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 8

    /// The protocol that follows in the unfragmented packet.
    public var nextHeader: IPProtocol
    /// The fragment's offset in the fragmentable part of the packet, in units of 8 bytes; 0 to 8191.
    public var fragmentUnits: UInt16
    /// Whether more fragments follow this one.
    public var hasMoreFragments: Bool
    /// The identification that the fragments of one packet share.
    public var identification: UInt32

    /// Creates a header from its parts.
    public init(nextHeader: IPProtocol, fragmentUnits: UInt16, hasMoreFragments: Bool, identification: UInt32) {
        self.nextHeader = nextHeader
        self.fragmentUnits = fragmentUnits & 0x1fff
        self.hasMoreFragments = hasMoreFragments
        self.identification = identification
    }

    private enum Layout {
        static let nextHeader = HeaderNumber<UInt8>(at: 0)
        static let reserved = HeaderNumber<UInt8>(at: 1)
        static let fragment = HeaderNumber<UInt16>(at: 2)
        static let identification = HeaderNumber<UInt32>(at: 4)
    }
}

extension IPv6FragmentHeader {
    /// The fragment's offset in the fragmentable part of the packet, in bytes.
    public var fragmentOffset: Int { Int(fragmentUnits) * 8 }

    /// Whether there are other fragments; a packet with a fragment header may be its own only fragment.
    ///
    /// Source: RFC 6946.
    public var isFragment: Bool { fragmentUnits != 0 || hasMoreFragments }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 8 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let fragment = bytes.load(Layout.fragment, at: offset)
        self.init(
            nextHeader: IPProtocol(rawValue: bytes.load(Layout.nextHeader, at: offset)),
            fragmentUnits: fragment >> 3,
            hasMoreFragments: fragment & 1 == 1,
            identification: bytes.load(Layout.identification, at: offset)
        )
    }

    /// Appends the 8 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(nextHeader.rawValue, in: Layout.nextHeader)
            room.store(0, in: Layout.reserved)
            room.store(fragmentUnits << 3 | (hasMoreFragments ? 1 : 0), in: Layout.fragment)
            room.store(identification, in: Layout.identification)
            return Self.size
        }
    }
}
