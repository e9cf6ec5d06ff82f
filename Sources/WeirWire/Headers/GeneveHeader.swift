/// The fixed part of a Geneve header, over UDP.
///
/// ```
///  0 version (2 bits), length of options in words (6)    1 control, critical, reserved    2 type
///  4 network identifier (3 bytes)    7 reserved    8 options, 0 to 252 bytes
/// ```
/// Source: RFC 8926 section 3.4.
public struct GeneveHeader: Hashable, Sendable {
    /// The size of a header without options, in bytes.
    public static let minimumSize = 8
    /// The destination port.
    public static let port: UInt16 = 6081

    /// The length of the options in bytes, a multiple of 4 up to 252.
    public var optionsLength: Int
    /// The two flags, in the top bits.
    public var flags: UInt8
    /// The protocol that follows.
    public var type: EtherType
    /// The virtual network identifier (VNI), 0 to 0xffffff.
    public var network: UInt32

    /// Creates a header; the length of the options is rounded up to a multiple of 4.
    public init(optionsLength: Int = 0, flags: UInt8 = 0, type: EtherType, network: UInt32) {
        self.optionsLength = min(max(padded(optionsLength), 0), 252)
        self.flags = flags
        self.type = type
        self.network = network & 0xff_ffff
    }

    private enum Layout {
        static let versionAndLength = HeaderNumber<UInt8>(at: 0)
        static let flags = HeaderNumber<UInt8>(at: 1)
        static let type = HeaderNumber<UInt16>(at: 2)
        static let network = HeaderNumber<UInt32>(at: 4)
    }
}

extension GeneveHeader {
    /// The size of the header with its options, in bytes.
    public var size: Int { Self.minimumSize + optionsLength }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 0.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let first = bytes.load(Layout.versionAndLength, at: offset)
        guard first >> 6 == 0 else { throw .malformed(.geneveVersion, at: offset) }
        self.init(
            optionsLength: Int(first & 0x3f) &* 4,
            flags: bytes.load(Layout.flags, at: offset),
            type: EtherType(rawValue: bytes.load(Layout.type, at: offset)),
            network: bytes.load(Layout.network, at: offset) >> 8
        )
        try bytes.require(size, at: offset)
    }

    /// Appends the 8 bytes of the fixed part; the caller appends the options.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.minimumSize) { room in
            room.store(UInt8(truncatingIfNeeded: optionsLength / 4), in: Layout.versionAndLength)
            room.store(flags, in: Layout.flags)
            room.store(type.rawValue, in: Layout.type)
            room.store((network & 0xff_ffff) << 8, in: Layout.network)
            return Self.minimumSize
        }
    }
}
