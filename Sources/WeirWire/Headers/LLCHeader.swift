/// The LLC header of an IEEE 802.3 frame, which identifies the protocol that the frame carries.
///
/// ```
///  0 destination service access point    1 source service access point    2 control, 1 or 2 bytes
/// ```
/// Source: ISO/IEC 8802-2 section 3.
public struct LLCHeader: Hashable, Sendable {
    /// The service access point of IPv4.
    public static let ipv4: UInt8 = 0x06
    /// The service access point of frames with a SNAP header.
    public static let snap: UInt8 = 0xaa

    /// The service access point of the receiver, which identifies the protocol.
    public var destination: UInt8
    /// The service access point of the sender.
    public var source: UInt8
    /// The control field, the kind of the frame: 8 bits if the low two are set, else 16.
    public var control: UInt16

    /// Creates the header of an unnumbered information frame, the kind that carries datagrams.
    public init(destination: UInt8, source: UInt8, control: UInt16 = 0x03) {
        self.destination = destination
        self.source = source
        self.control = control
    }

    private enum Layout {
        static let destination = HeaderNumber<UInt8>(at: 0)
        static let source = HeaderNumber<UInt8>(at: 1)
        static let control = HeaderNumber<UInt8>(at: 2)
        static let longControl = HeaderNumber<UInt16>(at: 2)
    }
}

extension LLCHeader {
    /// The size of the header in bytes, 3 or 4.
    public var size: Int { isUnnumbered ? 3 : 4 }

    /// Whether the control field is the 8-bit one of an unnumbered frame.
    public var isUnnumbered: Bool { control <= 0xff && control & 3 == 3 }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 3 or 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(3, at: offset)
        self.destination = bytes.load(Layout.destination, at: offset)
        self.source = bytes.load(Layout.source, at: offset)
        let short = bytes.load(Layout.control, at: offset)
        if short & 3 == 3 {
            self.control = UInt16(short)
        } else {
            try bytes.require(4, at: offset)
            self.control = bytes.load(Layout.longControl, at: offset)
        }
    }

    /// Appends the 3 or 4 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { room in
            room.store(destination, in: Layout.destination)
            room.store(source, in: Layout.source)
            if isUnnumbered {
                room.store(UInt8(truncatingIfNeeded: control), in: Layout.control)
            } else {
                room.store(control, in: Layout.longControl)
            }
            return size
        }
    }
}

/// The SNAP header, which gives an LLC frame an EtherType.
///
/// ```
///  0 organization (3 bytes)    3 type
/// ```
/// Source: RFC 1042.
public struct SNAPHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 5

    /// The organization that assigned the type (OUI); 0 for an EtherType.
    public var organization: UInt32
    /// The protocol that follows.
    public var type: EtherType

    /// Creates a header from its parts.
    public init(organization: UInt32 = 0, type: EtherType) {
        self.organization = organization & 0xff_ffff
        self.type = type
    }

    private enum Layout {
        static let organizationHigh = HeaderNumber<UInt8>(at: 0)
        static let organizationLow = HeaderNumber<UInt16>(at: 1)
        static let type = HeaderNumber<UInt16>(at: 3)
    }
}

extension SNAPHeader {
    /// Whether the type is an EtherType (RFC 1042, or IEEE Std 802.1H for bridges).
    public var hasEtherType: Bool { organization == 0 || organization == 0x0000f8 }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 5 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.organization =
            UInt32(bytes.load(Layout.organizationHigh, at: offset)) << 16
            | UInt32(bytes.load(Layout.organizationLow, at: offset))
        self.type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }

    /// Appends the 5 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(UInt8(truncatingIfNeeded: organization >> 16), in: Layout.organizationHigh)
            room.store(UInt16(truncatingIfNeeded: organization), in: Layout.organizationLow)
            room.store(type.rawValue, in: Layout.type)
            return Self.size
        }
    }
}
