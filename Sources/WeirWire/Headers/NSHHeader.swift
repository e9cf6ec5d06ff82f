/// The fixed part of a Network Service Header (NSH), which sends a packet along a chain of network functions.
///
/// ```
///  0 version (2 bits), flags (2), time to live (6), length in words (6), unassigned (4), metadata type (4)
///  3 next protocol    4 path (3 bytes), index    8 metadata
/// ```
/// It follows the EtherType 0x894f, or VXLAN-GPE.
///
/// Source: RFC 8300 section 2.
public struct NSHHeader: Hashable, Sendable {
    /// The size of a header without metadata, in bytes.
    public static let minimumSize = 8

    /// The size of the header with its metadata in bytes, a multiple of 4 from 8 to 252.
    public var size: Int
    /// The flags and the time to live: bits 2 to 9 of the header, in the low 8 bits.
    public var flagsAndTimeToLive: UInt8
    /// The type of the metadata, 0 to 15.
    public var metadataType: UInt8
    /// The protocol that follows: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH, 5 MPLS.
    public var nextProtocol: UInt8
    /// The service path in the upper 24 bits, and the index on it in the low 8.
    public var pathAndIndex: UInt32

    /// Creates a header; the size is rounded up to a multiple of 4.
    public init(
        size: Int = minimumSize,
        flagsAndTimeToLive: UInt8 = 63,
        metadataType: UInt8 = 2,
        nextProtocol: UInt8,
        pathAndIndex: UInt32
    ) {
        self.size = min(max(padded(max(size, 0)), Self.minimumSize), 252)
        self.flagsAndTimeToLive = flagsAndTimeToLive
        self.metadataType = metadataType & 0xf
        self.nextProtocol = nextProtocol
        self.pathAndIndex = pathAndIndex
    }

    private enum Layout {
        static let base = HeaderNumber<UInt32>(at: 0)
        static let pathAndIndex = HeaderNumber<UInt32>(at: 4)
    }
}

extension NSHHeader {
    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 0, or the length is under 2 words.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let base = bytes.load(Layout.base, at: offset)
        guard base >> 30 == 0 else { throw .malformed(.nshVersion, at: offset) }
        let size = Int(base >> 16 & 0x3f) &* 4
        guard size >= Self.minimumSize else { throw .malformed(.nshLength, at: offset) }
        self.init(
            size: size,
            flagsAndTimeToLive: UInt8(truncatingIfNeeded: base >> 22),
            metadataType: UInt8(truncatingIfNeeded: base >> 8),
            nextProtocol: UInt8(truncatingIfNeeded: base),
            pathAndIndex: bytes.load(Layout.pathAndIndex, at: offset)
        )
        try bytes.require(size, at: offset)
    }

    /// Appends the 8 bytes of the fixed part; the caller appends the metadata.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.minimumSize) { room in
            let length = UInt32(truncatingIfNeeded: size / 4) << 16
            let base = UInt32(flagsAndTimeToLive) << 22 | length | UInt32(metadataType & 0xf) << 8
            room.store(base | UInt32(nextProtocol), in: Layout.base)
            room.store(pathAndIndex, in: Layout.pathAndIndex)
            return Self.minimumSize
        }
    }
}
