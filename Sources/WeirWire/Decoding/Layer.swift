/// Names the kind of a header within a packet.
public enum LayerKind: UInt8, Hashable, Sendable, CaseIterable {
    /// Is an Ethernet header.
    case ethernet
    /// Is a tag of IEEE 802.1Q or 802.1ad.
    case vlan
    /// Is a tag of a provider's backbone (IEEE 802.1ah).
    case backbone
    /// Is the LLC header of an IEEE 802.3 frame.
    case llc
    /// Is the SNAP header behind LLC.
    case snap
    /// Is the address family of a BSD loopback.
    case loopback
    /// Is Linux's cooked header.
    case linuxCooked
    /// Is the second version of Linux's cooked header.
    case linuxCooked2
    /// Is the tag of a virtual interface.
    case vnTag
    /// Is the tag of a frame that crosses a FabricPath.
    case fabricPath
    /// Is the tag of a frame that MACsec protects.
    case macsec
    /// Is the header of PPP over Ethernet.
    case pppoe
    /// Is the protocol number of PPP.
    case ppp
    /// Is one entry of a label stack.
    case mpls
    /// Is a packet of ARP.
    case arp
    /// Is an IPv4 header.
    case ipv4
    /// Is an IPv6 header.
    case ipv6
    /// Is an IPv6 extension header other than those of a fragment and of routing.
    case ipv6Extension
    /// Is an IPv6 routing header.
    case ipv6Routing
    /// Is the header of an IPv6 fragment.
    case ipv6Fragment
    /// Is an authentication header.
    case authentication
    /// Is a TCP header.
    case tcp
    /// Is a UDP header.
    case udp
    /// Is the header of an ICMP message for IPv4.
    case icmpv4
    /// Is the header of an ICMP message for IPv6.
    case icmpv6
    /// Is the header of Generic Routing Encapsulation.
    case gre
    /// Is the header of a mirrored frame.
    case erspan
    /// Is the header of a packet that is redirected to a web cache.
    case wccp
    /// Is the header of a Register of Protocol Independent Multicast.
    case pim
    /// Is a VXLAN header.
    case vxlan
    /// Is a Geneve header.
    case geneve
    /// Is the header of a chain of network functions.
    case nsh
    /// Is a GTP-U header, with its extension headers.
    case gtp
    /// The tag of an extended port (IEEE 802.1BR).
    case eTag
    /// A header of Cisco's HDLC.
    case ciscoHDLC
    /// A header of netfilter's log.
    case nflog
    /// A header of CAPWAP data.
    case capwap
    /// A header of IEEE 802.11.
    case wireless
}

/// Says where one header of a packet is.
public struct Layer: Hashable, Sendable {
    /// Names the header.
    public let kind: LayerKind
    /// Gives the bytes of the header.
    public let range: Range<Int>
    /// Says whether the range is one of the datagrams that were put together, not of the captured packet.
    public let isReassembled: Bool
}

/// Holds where the headers of a packet are, outermost first, in a fixed amount of memory.
public struct LayerList: Sendable {
    /// Gives how many headers are listed at most; those within are counted only.
    public static let capacity = 16

    /// Gives how many headers are listed.
    public private(set) var count = 0
    /// Counts the headers that there was no room for.
    public private(set) var omitted = 0
    // From the top: kind (7 bits), reassembled (1), length (24), start (32).
    private var words = InlineArray<16, UInt64>(repeating: 0)

    /// Creates an empty list.
    public init() {}

    /// Reads where one header is.
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

    /// Says whether there is a header of a kind.
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
