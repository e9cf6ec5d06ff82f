/// The decoded headers of a captured packet, down to its transport: addresses, ports, sequence numbers and byte ranges.
///
/// A plain value of fixed size. Reuse one: decoding a packet into it allocates nothing.
///
/// Decoding goes as far as it understands the packet. What it found is valid in any case; `stop` is the reason why it
/// went no further. Nothing after the first error is trusted.
///
/// A tunnelled packet keeps its first (outermost) IP header, TCP header and UDP header, each transport with the
/// addresses of the IP header around it: for a TCP stream in VXLAN, `udp` is the tunnel and `tcp` the stream. UDP
/// within UDP is in `innerUDP`. The packet that an ICMP error quotes is kept apart, in `icmp`.
public struct DecodedPacket: Sendable {
    /// The packet's headers and their byte ranges.
    public internal(set) var layers = LayerList()
    /// The addresses of the outermost IP header.
    public internal(set) var network: AddressPair?
    /// The outermost TCP segment.
    public internal(set) var tcp: TCPSegment?
    /// The outermost UDP datagram.
    public internal(set) var udp: UDPDatagram?
    /// The UDP datagrams within the outermost one, as in VXLAN: the outermost first, up to 8.
    public internal(set) var innerUDP: [UDPDatagram] = []
    /// The first ICMP message.
    public internal(set) var icmp: ICMPMessage?
    /// The fragment at which decoding ended, because its datagram is incomplete.
    public internal(set) var fragment: PacketFragment?
    /// The bytes after the last header that was understood, as far as they were captured.
    public internal(set) var payload = 0..<0
    /// Whether `payload` is a range of the reassembled datagrams.
    public internal(set) var isPayloadReassembled = false
    /// Why decoding stopped early; nil if it reached the payload.
    public internal(set) var stop: DecodeError?

    /// The maximum count of `innerUDP`.
    static let mostInner = 8

    /// Creates a packet about which nothing is known.
    public init() {}

    /// Decodes a packet; of a fragmented datagram, only the first fragment.
    ///
    /// - Parameters:
    ///   - bytes: The captured bytes. Any bytes are allowed.
    ///   - linkType: The outermost header.
    ///   - originalLength: The packet's length on the wire in bytes; nil if it was captured whole.
    public init(_ bytes: RawSpan, linkType: LinkType, originalLength: Int? = nil) {
        var walk = PacketWalk(linkType, end: max(originalLength ?? 0, bytes.byteCount), leavesFragments: false)
        walk.run(bytes, into: &self)
    }

    mutating func removeAll() {
        layers.removeAll()
        network = nil
        tcp = nil
        udp = nil
        if !innerUDP.isEmpty { innerUDP.removeAll(keepingCapacity: true) }
        icmp = nil
        fragment = nil
        payload = 0..<0
        isPayloadReassembled = false
        stop = nil
    }
}

/// The source and the destination of a packet.
@frozen
public struct AddressPair: Hashable, Sendable {
    /// The sender.
    public var source: IPAddress
    /// The receiver.
    public var destination: IPAddress

    /// Creates a pair from its parts.
    @inlinable
    public init(source: IPAddress, destination: IPAddress) {
        self.source = source
        self.destination = destination
    }
}

/// The decoded fields of a TCP segment.
public struct TCPSegment: Sendable {
    /// The sender, with the address of the IP header around the segment.
    public var source: Endpoint
    /// The receiver; with a source route, its address is the last one of the route.
    public var destination: Endpoint
    /// The sequence number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// The number of the next byte that the sender expects.
    public var acknowledgmentNumber: UInt32
    /// The control bits.
    public var flags: TCPFlags
    /// The receive window of the sender in bytes, before scaling.
    public var window: UInt16
    /// The bytes of the header, as far as they were captured.
    public var header: Range<Int>
    /// The bytes of the payload, as far as they were captured.
    public var payload: Range<Int>
    /// The length of the payload on the wire, in bytes.
    public var payloadLength: Int
    /// Whether the ranges are of the reassembled datagrams.
    public var isReassembled: Bool
    /// Whether the header length is valid, 20 bytes or more; if not, the segment opens and closes nothing.
    public var hasHeader = true

    /// The five-tuple in the segment's direction.
    public var tuple: FiveTuple { FiveTuple(transport: .tcp, source: source, destination: destination) }
}

/// The decoded fields of a UDP datagram.
public struct UDPDatagram: Sendable {
    /// The sender, with the address of the IP header around the datagram.
    public var source: Endpoint
    /// The receiver; with a source route, its address is the last one of the route.
    public var destination: Endpoint
    /// The bytes of the header.
    public var header: Range<Int>
    /// The bytes of the payload, as far as they were captured.
    public var payload: Range<Int>
    /// The length of the payload on the wire, in bytes.
    public var payloadLength: Int
    /// Whether the ranges are of the reassembled datagrams.
    public var isReassembled: Bool

    /// The five-tuple in the datagram's direction.
    public var tuple: FiveTuple { FiveTuple(transport: .udp, source: source, destination: destination) }
}

/// An ICMP message, and the packet that it quotes.
public struct ICMPMessage: Hashable, Sendable {
    /// The version: `v4` for ICMPv4, `v6` for ICMPv6.
    public var family: IPAddress.Family
    /// The message type.
    public var type: UInt8
    /// The code, which refines the type.
    public var code: UInt8
    /// The packet that an error is about; nil for other messages, and if the quote is damaged.
    public var quoted: QuotedPacket?
}

/// The packet that an ICMP error quotes, which caused the error.
public struct QuotedPacket: Hashable, Sendable {
    /// The addresses of the packet.
    public var addresses: AddressPair
    /// The five-tuple of the packet's flow; nil if the quote does not reach the ports of TCP or UDP.
    public var tuple: FiveTuple?
}

/// One fragment of a datagram.
public struct PacketFragment: Hashable, Sendable {
    /// The datagram that the fragment belongs to.
    public var key: FragmentKey
    /// The protocol that follows in the datagram; for IPv6 the first fragment's value counts (RFC 8200 section 4.5).
    public var `protocol`: IPProtocol
    /// The fragment's offset in the datagram, in bytes.
    public var offset: Int
    /// Whether more fragments follow this one.
    public var hasMore: Bool
    /// The fragment's bytes, as far as they were captured.
    public var range: Range<Int>
    /// The length of the fragment on the wire, in bytes.
    public var length: Int

    /// Creates a fragment from its parts.
    public init(
        key: FragmentKey,
        protocol: IPProtocol,
        offset: Int,
        hasMore: Bool,
        range: Range<Int>,
        length: Int
    ) {
        self.key = key
        self.protocol = `protocol`
        self.offset = offset
        self.hasMore = hasMore
        self.range = range
        self.length = length
    }

    /// Whether all bytes of the fragment were captured.
    public var isWhole: Bool { range.count == length }
}

/// The identity of a fragmented datagram.
public struct FragmentKey: Hashable, Sendable {
    /// The addresses of the datagram.
    public var addresses: AddressPair
    /// The identification that the sender gave the datagram.
    public var identification: UInt32
    /// The protocol that the datagram carries; `fragment` for IPv6, whose fragments may disagree about it.
    public var `protocol`: IPProtocol
    /// The VLAN of an IPv4 datagram, the innermost of several; 0 without one, and for IPv6.
    public var vlan: UInt16

    /// Creates a key from its parts.
    public init(addresses: AddressPair, identification: UInt32, protocol: IPProtocol = .fragment, vlan: UInt16 = 0) {
        self.addresses = addresses
        self.identification = identification
        self.protocol = `protocol`
        self.vlan = vlan
    }
}
