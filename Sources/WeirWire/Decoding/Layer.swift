/// The kind of a header within a packet.
public enum LayerKind: UInt8, Hashable, Sendable, CaseIterable {
    /// An Ethernet header.
    case ethernet
    /// A VLAN tag (IEEE 802.1Q or 802.1ad).
    case vlan
    /// A provider backbone tag (IEEE 802.1ah).
    case backbone
    /// The LLC header of an IEEE 802.3 frame.
    case llc
    /// The SNAP header after LLC.
    case snap
    /// The address family in front of a BSD loopback packet.
    case loopback
    /// A Linux cooked header (SLL).
    case linuxCooked
    /// A Linux cooked header, version 2 (SLL2).
    case linuxCooked2
    /// The tag of a virtual interface (VN-Tag).
    case vnTag
    /// A Cisco FabricPath tag.
    case fabricPath
    /// A MACsec tag.
    case macsec
    /// A PPPoE header.
    case pppoe
    /// The protocol number of PPP.
    case ppp
    /// One entry of an MPLS label stack.
    case mpls
    /// An ARP packet.
    case arp
    /// An IPv4 header.
    case ipv4
    /// An IPv6 header.
    case ipv6
    /// An IPv6 extension header, other than fragment and routing headers.
    case ipv6Extension
    /// An IPv6 routing header.
    case ipv6Routing
    /// An IPv6 fragment header.
    case ipv6Fragment
    /// An IP authentication header.
    case authentication
    /// A TCP header.
    case tcp
    /// A UDP header.
    case udp
    /// The header of an ICMPv4 message.
    case icmpv4
    /// The header of an ICMPv6 message.
    case icmpv6
    /// A GRE header (Generic Routing Encapsulation).
    case gre
    /// The ERSPAN header of a mirrored frame.
    case erspan
    /// The WCCP header of a packet that is redirected to a web cache.
    case wccp
    /// The header of a PIM Register message.
    case pim
    /// A VXLAN header.
    case vxlan
    /// A Geneve header.
    case geneve
    /// A Network Service Header (NSH).
    case nsh
    /// A GTP-U header, with its extension headers.
    case gtp
    /// An E-Tag of an extended port (IEEE 802.1BR).
    case eTag
    /// A Cisco HDLC header.
    case ciscoHDLC
    /// An NFLOG header of Linux's netfilter.
    case nflog
    /// A CAPWAP data header.
    case capwap
    /// An IEEE 802.11 header.
    case wireless
}

/// The place of one header in a packet.
public struct Layer: Hashable, Sendable {
    /// The kind of the header.
    public let kind: LayerKind
    /// The bytes of the header.
    public let range: Range<Int>
    /// Whether the range is one of the reassembled datagrams, not of the captured packet.
    public let isReassembled: Bool
}

/// The places of a packet's headers, outermost first, in a fixed amount of memory.
public struct LayerList: Sendable {
    /// The maximum number of listed headers; further ones are only counted.
    public static let capacity = 16

    /// The number of listed headers.
    public private(set) var count = 0
    /// The number of headers for which there was no room.
    public private(set) var omitted = 0
    // From the top: kind (7 bits), reassembled (1), length (24), start (32).
    private var words = InlineArray<16, UInt64>(repeating: 0)

    /// Creates an empty list.
    public init() {}

    /// Returns the place of one header.
    ///
    /// - Precondition: `index` is between 0 and `count - 1`.
    public subscript(index: Int) -> Layer {
        precondition(index >= 0 && index < count, "an index past the layers")
        let word = words[index]
        let start = Int(word & 0xffff_ffff)
        return Layer(
            kind: LayerKind(rawValue: UInt8(truncatingIfNeeded: word >> 57)) ?? .ethernet,
            range: start..<(start &+ Int(word >> 32 & 0xff_ffff)),
            isReassembled: word >> 56 & 1 == 1
        )
    }

    /// Finds the first header of a kind.
    public func first(_ kind: LayerKind) -> Layer? {
        for index in 0..<count where words[index] >> 57 == UInt64(kind.rawValue) { return self[index] }
        return nil
    }

    /// Returns whether there is a header of a kind.
    public func contains(_ kind: LayerKind) -> Bool { first(kind) != nil }

    mutating func removeAll() {
        count = 0
        omitted = 0
    }

    /// Appends a header: its start is under 2^32, its length under 2^24.
    @inline(__always)
    mutating func append(_ kind: LayerKind, start: Int, length: Int, isReassembled: Bool) {
        guard count < Self.capacity else {
            omitted &+= 1
            return
        }
        let place =
            (UInt64(truncatingIfNeeded: length) & 0xff_ffff) << 32 | UInt64(truncatingIfNeeded: start) & 0xffff_ffff
        words[count] = UInt64(kind.rawValue) << 57 | (isReassembled ? 1 << 56 : 0) | place
        count &+= 1
    }
}
