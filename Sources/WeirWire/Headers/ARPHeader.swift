/// An ARP packet, which asks for the Ethernet address of an IPv4 address or announces it.
///
/// ```
///  0 hardware type 1    2 protocol type 0x0800    4 hardware length 6    5 protocol length 4    6 operation
///  8 sender's MAC      14 sender's IPv4          18 target's MAC        24 target's IPv4
/// ```
/// Source: RFC 826.
public struct ARPHeader: Hashable, Sendable {
    /// The size of the packet in bytes.
    public static let size = 28

    /// The operation: 1 request, 2 reply.
    public var operation: UInt16
    /// The sender's Ethernet address.
    public var senderHardware: MACAddress
    /// The 32 bits of the sender's IPv4 address in host order.
    public var senderBits: UInt32
    /// The target's Ethernet address; zero in a request.
    public var targetHardware: MACAddress
    /// The 32 bits of the target's IPv4 address in host order.
    public var targetBits: UInt32

    /// Creates a packet; only the last 32 bits of an IPv6 address are used.
    public init(
        operation: UInt16,
        senderHardware: MACAddress,
        sender: IPAddress,
        targetHardware: MACAddress,
        target: IPAddress
    ) {
        self.operation = operation
        self.senderHardware = senderHardware
        self.senderBits = sender.v4
        self.targetHardware = targetHardware
        self.targetBits = target.v4
    }

    private enum Layout {
        /// Hardware type, protocol type and the two lengths.
        static let kind = HeaderNumber<UInt64>(at: 0)
        static let operation = HeaderNumber<UInt16>(at: 6)
        static let senderHardware = 8
        static let sender = HeaderNumber<UInt32>(at: 14)
        static let targetHardware = 18
        static let target = HeaderNumber<UInt32>(at: 24)
    }

    /// The first six bytes of ARP for IPv4 over Ethernet.
    private static let kind: UInt64 = 0x0001_0800_0604
}

extension ARPHeader {
    /// The sender's IPv4 address.
    public var sender: IPAddress { IPAddress(v4: senderBits) }
    /// The target's IPv4 address.
    public var target: IPAddress { IPAddress(v4: targetBits) }

    /// Parses the packet at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the packet is not for IPv4 over Ethernet.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        guard bytes.load(Layout.kind, at: offset) >> 16 == Self.kind else { throw .malformed(.arpKind, at: offset) }
        self.operation = bytes.load(Layout.operation, at: offset)
        self.senderHardware = bytes.loadMAC(at: offset &+ Layout.senderHardware)
        self.senderBits = bytes.load(Layout.sender, at: offset)
        self.targetHardware = bytes.loadMAC(at: offset &+ Layout.targetHardware)
        self.targetBits = bytes.load(Layout.target, at: offset)
    }

    /// Appends the 28 bytes of the packet.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(Self.kind << 16 | UInt64(operation), in: Layout.kind)
            room.storeMAC(senderHardware, at: Layout.senderHardware)
            room.store(senderBits, in: Layout.sender)
            room.storeMAC(targetHardware, at: Layout.targetHardware)
            room.store(targetBits, in: Layout.target)
            return Self.size
        }
    }
}
