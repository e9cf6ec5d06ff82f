/// The header of a frame in VXLAN, over UDP.
///
/// ```
///  0 flags    1 reserved    2 group policy or reserved    4 network identifier (3 bytes)    7 reserved
/// ```
/// In the generic protocol extension (VXLAN-GPE) byte 3 is the protocol that follows.
///
/// Source: RFC 7348 section 5, draft-ietf-nvo3-vxlan-gpe-12 section 3.
public struct VXLANHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 8
    /// The destination port.
    public static let port: UInt16 = 4789
    /// The destination port of the generic protocol extension.
    public static let extensionPort: UInt16 = 4790

    /// The flags; 0x08: the identifier is present, 0x04 (generic protocol extension): the next protocol is present.
    public var flags: UInt8
    /// Bytes 1 to 3.
    public var policy: UInt32
    /// The network identifier (VNI), 0 to 0xffffff.
    public var network: UInt32

    /// Creates a header from its parts.
    public init(flags: UInt8 = 0x08, policy: UInt32 = 0, network: UInt32) {
        self.flags = flags
        self.policy = policy & 0xff_ffff
        self.network = network & 0xff_ffff
    }

    private enum Layout {
        static let flagsAndPolicy = HeaderNumber<UInt32>(at: 0)
        static let network = HeaderNumber<UInt32>(at: 4)
    }
}

extension VXLANHeader {
    /// Whether the identifier is present, as it must be.
    public var hasNetwork: Bool { flags & 0x08 != 0 }

    /// The protocol that follows in the extension: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH; nil if Ethernet is implied.
    public var nextProtocol: UInt8? { flags & 0x04 == 0 ? nil : UInt8(truncatingIfNeeded: policy) }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 8 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let first = bytes.load(Layout.flagsAndPolicy, at: offset)
        self.init(
            flags: UInt8(truncatingIfNeeded: first >> 24),
            policy: first,
            network: bytes.load(Layout.network, at: offset) >> 8
        )
    }

    /// Appends the 8 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(UInt32(flags) << 24 | policy & 0xff_ffff, in: Layout.flagsAndPolicy)
            room.store((network & 0xff_ffff) << 8, in: Layout.network)
            return Self.size
        }
    }
}
