/// The kind of a captured packet's outermost header.
///
/// Source: draft-ietf-opsawg-pcaplinktype, https://www.tcpdump.org/linktypes.html.
@frozen
public struct LinkType: RawRepresentable, Hashable, Sendable {
    /// The number in a file.
    public let rawValue: UInt16

    /// Creates a link type from the number in a file.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// BSD loopback: an address family of 4 bytes, in the byte order of the capturing machine.
    public static let null = LinkType(rawValue: 0)
    /// Ethernet, with a header of 14 bytes.
    public static let ethernet = LinkType(rawValue: 1)
    /// PPP: the protocol number, with or without the address and control bytes in front of it.
    public static let ppp = LinkType(rawValue: 9)
    /// Raw IPv4 or IPv6, with the number that most systems use for it and that files should not contain.
    public static let rawBSD = LinkType(rawValue: 12)
    /// Raw IPv4 or IPv6, with OpenBSD's number.
    public static let rawOpenBSD = LinkType(rawValue: 14)
    /// Raw IPv4 or IPv6.
    public static let raw = LinkType(rawValue: 101)
    /// Cisco HDLC.
    public static let ciscoHDLC = LinkType(rawValue: 104)
    /// OpenBSD loopback: an address family of 4 bytes, in network order.
    public static let loop = LinkType(rawValue: 108)
    /// Linux's cooked header of 16 bytes (SLL).
    public static let linuxSLL = LinkType(rawValue: 113)
    /// Raw IPv4.
    public static let ipv4 = LinkType(rawValue: 228)
    /// Raw IPv6.
    public static let ipv6 = LinkType(rawValue: 229)
    /// Linux's netfilter log (NFLOG).
    public static let nflog = LinkType(rawValue: 239)
    /// Wireshark's exported protocol data, which begins with tags.
    public static let upperPDU = LinkType(rawValue: 252)
    /// Apple's header with the name of the process (PKTAP).
    public static let pktap = LinkType(rawValue: 258)
    /// Linux's cooked header of 20 bytes (SLL2).
    public static let linuxSLL2 = LinkType(rawValue: 276)
}

extension LinkType: CustomStringConvertible {
    /// The name in tcpdump's registry if Weir knows it, else `link type 147`.
    public var description: String {
        switch self {
        case .null: "NULL"
        case .ethernet: "ETHERNET"
        case .ppp: "PPP"
        case .raw, .rawBSD, .rawOpenBSD: "RAW"
        case .ciscoHDLC: "C_HDLC"
        case .loop: "LOOP"
        case .linuxSLL: "LINUX_SLL"
        case .ipv4: "IPV4"
        case .ipv6: "IPV6"
        case .nflog: "NFLOG"
        case .upperPDU: "WIRESHARK_UPPER_PDU"
        case .pktap: "PKTAP"
        case .linuxSLL2: "LINUX_SLL2"
        default: "link type \(rawValue)"
        }
    }
}
