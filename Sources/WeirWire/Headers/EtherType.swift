/// Names what an Ethernet frame carries.
///
/// Numbers up to 1500 are not types but the length of an IEEE 802.3 frame.
///
/// Source: IANA, IEEE 802 Numbers.
@frozen
public struct EtherType: RawRepresentable, Hashable, Sendable {
    /// Holds the number.
    public let rawValue: UInt16

    /// Creates a type from its number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Names IPv4.
    @inlinable
    public static var ipv4: EtherType { EtherType(rawValue: 0x0800) }
    /// Names ARP.
    @inlinable
    public static var arp: EtherType { EtherType(rawValue: 0x0806) }
    /// Names IPv6.
    @inlinable
    public static var ipv6: EtherType { EtherType(rawValue: 0x86dd) }
    /// Names a tag of IEEE 802.1Q (C-VLAN).
    @inlinable
    public static var vlan: EtherType { EtherType(rawValue: 0x8100) }
    /// Names an outer tag of IEEE 802.1ad (S-VLAN, "QinQ").
    @inlinable
    public static var serviceVLAN: EtherType { EtherType(rawValue: 0x88a8) }
}

extension EtherType: CustomStringConvertible {
    /// Prints `0x0800`.
    public var description: String {
        var buffer = ByteBuffer(capacity: 6)
        buffer.append("0x")
        buffer.appendHex(UInt32(rawValue), digits: 4)
        return buffer.string
    }
}
