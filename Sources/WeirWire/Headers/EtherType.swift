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
    public static let ipv4 = EtherType(rawValue: 0x0800)
    /// Names ARP.
    public static let arp = EtherType(rawValue: 0x0806)
    /// Names a whole Ethernet frame ("transparent bridging"), behind GRE or Geneve.
    public static let ethernet = EtherType(rawValue: 0x6558)
    /// Names a tag of IEEE 802.1Q (C-VLAN).
    public static let vlan = EtherType(rawValue: 0x8100)
    /// Names IPv6.
    public static let ipv6 = EtherType(rawValue: 0x86dd)
    /// Names MPLS.
    public static let mpls = EtherType(rawValue: 0x8847)
    /// Names MPLS with an upstream label, or to a group.
    public static let mplsMulticast = EtherType(rawValue: 0x8848)
    /// Names a packet that a router redirects to a web cache (WCCP), behind GRE.
    public static let wccp = EtherType(rawValue: 0x883e)
    /// Names PPP over Ethernet before a session.
    public static let pppoeDiscovery = EtherType(rawValue: 0x8863)
    /// Names PPP over Ethernet in a session.
    public static let pppoeSession = EtherType(rawValue: 0x8864)
    /// Names PPP, behind GRE.
    public static let ppp = EtherType(rawValue: 0x880b)
    /// Names an outer tag of IEEE 802.1ad (S-VLAN, "QinQ").
    public static let serviceVLAN = EtherType(rawValue: 0x88a8)
    /// Names a frame mirrored by a switch, of ERSPAN type I or II, behind GRE.
    public static let erspan = EtherType(rawValue: 0x88be)
    /// Names the tag of a provider's backbone (IEEE 802.1ah).
    public static let backbone = EtherType(rawValue: 0x88e7)
    /// Names a frame that MACsec protects (IEEE 802.1AE).
    public static let macsec = EtherType(rawValue: 0x88e5)
    /// Names the tag of a frame that crosses a Cisco FabricPath.
    public static let fabricPath = EtherType(rawValue: 0x8903)
    /// Names the tag of a virtual interface (Cisco VN-Tag).
    public static let vnTag = EtherType(rawValue: 0x8926)
    /// Names the tag of an extended port (IEEE 802.1BR).
    public static let eTag = EtherType(rawValue: 0x893f)
    /// Names the header of a chain of network functions (RFC 8300).
    public static let nsh = EtherType(rawValue: 0x894f)
    /// Names an outer tag before there was a number for it.
    public static let oldServiceVLAN = EtherType(rawValue: 0x9100)
    /// Names a frame mirrored by a switch, of ERSPAN type III, behind GRE.
    public static let erspan3 = EtherType(rawValue: 0x22eb)
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
