/// Names the outermost header of a captured packet.
///
/// Source: draft-ietf-opsawg-pcaplinktype, https://www.tcpdump.org/linktypes.html.
@frozen
public struct LinkType: RawRepresentable, Hashable, Sendable {
    /// Gives the number that stands in a file.
    public let rawValue: UInt16

    /// Creates a link type from the number that stands in a file.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Begins with an address family of 4 bytes, in the byte order of the machine that captured.
    public static let null = LinkType(rawValue: 0)
    /// Begins with an Ethernet header of 14 bytes.
    public static let ethernet = LinkType(rawValue: 1)
    /// Begins with the protocol number of PPP, the address and control bytes in front of it or not.
    public static let ppp = LinkType(rawValue: 9)
    /// Begins with an IPv4 or IPv6 header; is the number that most systems have for it, and that files should not hold.
    public static let rawBSD = LinkType(rawValue: 12)
    /// Begins with an IPv4 or IPv6 header; is OpenBSD's number for it.
    public static let rawOpenBSD = LinkType(rawValue: 14)
    /// Begins with an IPv4 or IPv6 header.
    public static let raw = LinkType(rawValue: 101)
    /// Begins with a header of Cisco's HDLC.
    public static let ciscoHDLC = LinkType(rawValue: 104)
    /// Begins with an address family of 4 bytes, in network order.
    public static let loop = LinkType(rawValue: 108)
    /// Begins with Linux's cooked header of 16 bytes.
    public static let linuxSLL = LinkType(rawValue: 113)
    /// Begins with an IPv4 header.
    public static let ipv4 = LinkType(rawValue: 228)
    /// Begins with an IPv6 header.
    public static let ipv6 = LinkType(rawValue: 229)
    /// Begins with Linux's netfilter log header.
    public static let nflog = LinkType(rawValue: 239)
    /// Begins with Wireshark's tags for an exported protocol.
    public static let upperPDU = LinkType(rawValue: 252)
    /// Begins with Apple's header that names the process.
    public static let pktap = LinkType(rawValue: 258)
    /// Begins with Linux's cooked header of 20 bytes.
    public static let linuxSLL2 = LinkType(rawValue: 276)
}

extension LinkType: CustomStringConvertible {
    /// Prints the name of the registry where it is known here, else `link type 147`.
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
