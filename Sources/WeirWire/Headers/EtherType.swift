/// The protocol that an Ethernet frame carries.
///
/// Numbers up to 1500 are not types but the length of an IEEE 802.3 frame.
///
/// Source: IANA, IEEE 802 Numbers.
@frozen
public struct EtherType: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt16

    /// Creates a type from its number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// IPv4.
    public static let ipv4 = EtherType(rawValue: 0x0800)
    /// ARP.
    public static let arp = EtherType(rawValue: 0x0806)
    /// A whole Ethernet frame ("transparent bridging"), after GRE or Geneve.
    public static let ethernet = EtherType(rawValue: 0x6558)
    /// A tag of IEEE 802.1Q (C-VLAN).
    public static let vlan = EtherType(rawValue: 0x8100)
    /// IPv6.
    public static let ipv6 = EtherType(rawValue: 0x86dd)
    /// MPLS.
    public static let mpls = EtherType(rawValue: 0x8847)
    /// MPLS with an upstream-assigned label, or multicast.
    public static let mplsMulticast = EtherType(rawValue: 0x8848)
    /// A packet that a router redirects to a web cache (WCCP), after GRE.
    public static let wccp = EtherType(rawValue: 0x883e)
    /// PPP over Ethernet, discovery stage.
    public static let pppoeDiscovery = EtherType(rawValue: 0x8863)
    /// PPP over Ethernet, session stage.
    public static let pppoeSession = EtherType(rawValue: 0x8864)
    /// PPP, after GRE.
    public static let ppp = EtherType(rawValue: 0x880b)
    /// An outer tag of IEEE 802.1ad (S-VLAN, "QinQ").
    public static let serviceVLAN = EtherType(rawValue: 0x88a8)
    /// A frame mirrored by a switch, of ERSPAN type I or II, after GRE.
    public static let erspan = EtherType(rawValue: 0x88be)
    /// A provider backbone tag (IEEE 802.1ah).
    public static let backbone = EtherType(rawValue: 0x88e7)
    /// A frame that MACsec protects (IEEE 802.1AE).
    public static let macsec = EtherType(rawValue: 0x88e5)
    /// A Cisco FabricPath tag.
    public static let fabricPath = EtherType(rawValue: 0x8903)
    /// The tag of a virtual interface (Cisco VN-Tag).
    public static let vnTag = EtherType(rawValue: 0x8926)
    /// The tag of an extended port (IEEE 802.1BR).
    public static let eTag = EtherType(rawValue: 0x893f)
    /// A Network Service Header (RFC 8300).
    public static let nsh = EtherType(rawValue: 0x894f)
    /// An outer VLAN tag with the number used before 0x88a8 was assigned.
    public static let oldServiceVLAN = EtherType(rawValue: 0x9100)
    /// A frame mirrored by a switch, of ERSPAN type III, after GRE.
    public static let erspan3 = EtherType(rawValue: 0x22eb)
}

extension EtherType: CustomStringConvertible {
    /// The text, such as `0x0800`.
    public var description: String {
        var buffer = ByteBuffer(capacity: 6)
        buffer.append("0x")
        buffer.appendHex(UInt32(rawValue), digits: 4)
        return buffer.string
    }
}
