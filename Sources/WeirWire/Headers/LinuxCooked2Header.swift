/// The second version of Linux's cooked header (SLL2), which identifies the interface.
///
/// ```
///  0 protocol          2 reserved          4 interface    8 ARPHRD type    10 packet type (1 byte)
/// 11 address length   12 address, 8 bytes
/// ```
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html.
public struct LinuxCooked2Header: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 20

    /// The protocol that follows; numbers under 1536 are Linux's own.
    public var type: EtherType
    /// The index of the interface.
    public var interface: UInt32
    /// The kind of the interface, one of Linux's ARPHRD numbers.
    public var hardwareType: UInt16
    /// The kind of the packet: received, sent or overheard.
    public var packetType: LinuxPacketType
    /// The length of the sender's address in bytes.
    public var addressLength: UInt8
    /// The sender's address, padded at the end; its first byte is the most significant one.
    public var address: UInt64

    /// Creates a header from its parts.
    public init(
        type: EtherType,
        interface: UInt32,
        hardwareType: UInt16,
        packetType: LinuxPacketType,
        addressLength: UInt8,
        address: UInt64
    ) {
        self.type = type
        self.interface = interface
        self.hardwareType = hardwareType
        self.packetType = packetType
        self.addressLength = addressLength
        self.address = address
    }

    private enum Layout {
        static let type = HeaderNumber<UInt16>(at: 0)
        static let reserved = HeaderNumber<UInt16>(at: 2)
        static let interface = HeaderNumber<UInt32>(at: 4)
        static let hardwareType = HeaderNumber<UInt16>(at: 8)
        static let packetType = HeaderNumber<UInt8>(at: 10)
        static let addressLength = HeaderNumber<UInt8>(at: 11)
        static let address = HeaderNumber<UInt64>(at: 12)
    }
}

extension LinuxCooked2Header {
    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 20 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.init(
            type: EtherType(rawValue: bytes.load(Layout.type, at: offset)),
            interface: bytes.load(Layout.interface, at: offset),
            hardwareType: bytes.load(Layout.hardwareType, at: offset),
            packetType: LinuxPacketType(rawValue: UInt16(bytes.load(Layout.packetType, at: offset))),
            addressLength: bytes.load(Layout.addressLength, at: offset),
            address: bytes.load(Layout.address, at: offset)
        )
    }

    /// Appends the 20 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(type.rawValue, in: Layout.type)
            room.store(0, in: Layout.reserved)
            room.store(interface, in: Layout.interface)
            room.store(hardwareType, in: Layout.hardwareType)
            room.store(UInt8(truncatingIfNeeded: packetType.rawValue), in: Layout.packetType)
            room.store(addressLength, in: Layout.addressLength)
            room.store(address, in: Layout.address)
            return Self.size
        }
    }
}
