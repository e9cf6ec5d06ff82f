/// The relation of a packet to the machine that captured it.
///
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html.
@frozen
public struct LinuxPacketType: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt16

    /// Creates a type from its number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Sent to this machine.
    @inlinable
    public static var toUs: LinuxPacketType { LinuxPacketType(rawValue: 0) }
    /// Broadcast.
    @inlinable
    public static var broadcast: LinuxPacketType { LinuxPacketType(rawValue: 1) }
    /// Multicast.
    @inlinable
    public static var multicast: LinuxPacketType { LinuxPacketType(rawValue: 2) }
    /// Sent from another machine to another.
    @inlinable
    public static var toOther: LinuxPacketType { LinuxPacketType(rawValue: 3) }
    /// Sent by this machine.
    @inlinable
    public static var fromUs: LinuxPacketType { LinuxPacketType(rawValue: 4) }
}

/// Linux's cooked header (SLL), in place of the link layer in captures of several interfaces.
///
/// ```
///  0 packet type    2 ARPHRD type    4 address length    6 address, 8 bytes    14 protocol
/// ```
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html.
public struct LinuxCookedHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 16

    /// The kind of the packet: received, sent or overheard.
    public var packetType: LinuxPacketType
    /// The kind of the interface, one of Linux's ARPHRD numbers.
    public var hardwareType: UInt16
    /// The length of the sender's address in bytes.
    public var addressLength: UInt16
    /// The sender's address, padded at the end; its first byte is the most significant one.
    public var address: UInt64
    /// The protocol that follows; numbers under 1536 are Linux's own.
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
    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 16 bytes.
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
