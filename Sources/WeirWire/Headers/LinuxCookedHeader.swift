/// Says how a packet came by the machine that captured it.
///
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html.
@frozen
public struct LinuxPacketType: RawRepresentable, Hashable, Sendable {
    /// Holds the number.
    public let rawValue: UInt16

    /// Creates a type from its number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Was sent to this machine.
    @inlinable
    public static var toUs: LinuxPacketType { LinuxPacketType(rawValue: 0) }
    /// Was sent to everyone.
    @inlinable
    public static var broadcast: LinuxPacketType { LinuxPacketType(rawValue: 1) }
    /// Was sent to a group.
    @inlinable
    public static var multicast: LinuxPacketType { LinuxPacketType(rawValue: 2) }
    /// Was sent from another machine to another.
    @inlinable
    public static var toOther: LinuxPacketType { LinuxPacketType(rawValue: 3) }
    /// Was sent by this machine.
    @inlinable
    public static var fromUs: LinuxPacketType { LinuxPacketType(rawValue: 4) }
}

/// Holds Linux's cooked header: what stands for the link layer where several interfaces are captured at once.
///
/// ```
///  0 packet type    2 ARPHRD type    4 address length    6 address, 8 bytes    14 protocol
/// ```
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html.
public struct LinuxCookedHeader: Hashable, Sendable {
    /// Gives the size of the header in bytes.
    public static let size = 16

    /// Says how the packet came by.
    public var packetType: LinuxPacketType
    /// Names the kind of the interface, by Linux's ARPHRD numbers.
    public var hardwareType: UInt16
    /// Gives how many bytes of the sender's address count.
    public var addressLength: UInt16
    /// Holds the sender's address, its first byte the most significant one, padded behind.
    public var address: UInt64
    /// Names what follows; numbers under 1536 are Linux's own.
    public var type: EtherType

    /// Creates a header from its parts.
    public init(
        packetType: LinuxPacketType,
        hardwareType: UInt16,
        addressLength: UInt16,
        address: UInt64,
        type: EtherType
    ) {
        self.packetType = packetType
        self.hardwareType = hardwareType
        self.addressLength = addressLength
        self.address = address
        self.type = type
    }

    private enum Layout {
        static let packetType = HeaderNumber<UInt16>(at: 0)
        static let hardwareType = HeaderNumber<UInt16>(at: 2)
        static let addressLength = HeaderNumber<UInt16>(at: 4)
        static let address = HeaderNumber<UInt64>(at: 6)
        static let type = HeaderNumber<UInt16>(at: 14)
    }
}

extension LinuxCookedHeader {
    /// Parses the header that begins at an offset.
    ///
    /// - Throws: `DecodeError.truncated` where there are under 16 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.init(
            packetType: LinuxPacketType(rawValue: bytes.load(Layout.packetType, at: offset)),
            hardwareType: bytes.load(Layout.hardwareType, at: offset),
            addressLength: bytes.load(Layout.addressLength, at: offset),
            address: bytes.load(Layout.address, at: offset),
            type: EtherType(rawValue: bytes.load(Layout.type, at: offset))
        )
    }

    /// Appends the 16 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(packetType.rawValue, in: Layout.packetType)
            room.store(hardwareType, in: Layout.hardwareType)
            room.store(addressLength, in: Layout.addressLength)
            room.store(address, in: Layout.address)
            room.store(type.rawValue, in: Layout.type)
            return Self.size
        }
    }
}
