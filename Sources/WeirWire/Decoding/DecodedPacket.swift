/// Holds what a captured packet says, down to its transport: addresses, ports, sequence numbers and where its bytes are.
///
/// A plain value of fixed size. Use one again and again: decoding a packet into it allocates nothing.
///
/// Decoding goes as far as it understands the packet. What was found holds in any case; `stop` says why it went no
/// further. Nothing is trusted behind the first error.
///
/// In a packet of packets (a tunnel) the first, outermost, IP header, TCP header and UDP header are kept, each transport
/// with the addresses of the IP header around it: a TCP stream within VXLAN has `udp` of the tunnel and `tcp` of the
/// stream. UDP within UDP is in `innerUDP`. What an ICMP error quotes is kept apart, in `icmp`.
public struct DecodedPacket: Sendable {
    /// Says where the headers are.
    public internal(set) var layers = LayerList()
    /// Holds the addresses of the outermost IP header.
    public internal(set) var network: AddressPair?
    /// Holds the outermost TCP segment.
    public internal(set) var tcp: TCPSegment?
    /// Holds the outermost UDP datagram.
    public internal(set) var udp: UDPDatagram?
    /// The UDP datagrams within the outermost one, as in VXLAN: the outermost first, up to 8.
    public internal(set) var innerUDP: [UDPDatagram] = []
    /// Holds the first ICMP message.
    public internal(set) var icmp: ICMPMessage?
    /// Describes the fragment that the packet ends in: its datagram is not there whole.
    public internal(set) var fragment: PacketFragment?
    /// Gives the bytes behind the last header that was understood, as far as they were captured.
    public internal(set) var payload = 0..<0
    /// Says whether `payload` is a range of the datagrams that were put together.
    public internal(set) var isPayloadReassembled = false
    /// Says why decoding stopped before it was through; nil where it was.
    public internal(set) var stop: DecodeError?

    /// Bounds `innerUDP`.
    static let mostInner = 8

    /// Creates what is known of no packet.
    public init() {}

    /// Decodes a packet, the first of its fragments where it is one.
    ///
    /// - Parameters:
    ///   - bytes: The captured bytes, any bytes.
    ///   - linkType: The outermost header.
    ///   - originalLength: The packet's length on the wire in bytes; nil where it was captured whole.
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

/// Holds from where to where a packet goes.
@frozen
public struct AddressPair: Hashable, Sendable {
    /// Holds the sender.
    public var source: IPAddress
    /// Holds the receiver.
    public var destination: IPAddress

    /// Creates a pair from its parts.
    @inlinable
    public init(source: IPAddress, destination: IPAddress) {
        self.source = source
        self.destination = destination
    }
}

/// Holds what a packet says about a TCP stream.
public struct TCPSegment: Sendable {
    /// Holds the sender, with the address of the IP header around the segment.
    public var source: Endpoint
    /// Holds the receiver; its address is the last one where a route is given.
    public var destination: Endpoint
    /// Holds the number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// Holds the number of the byte that the sender waits for.
    public var acknowledgmentNumber: UInt32
    /// Says what the segment means.
    public var flags: TCPFlags
    /// Holds how many more bytes the sender would take, before scaling.
    public var window: UInt16
    /// Gives the bytes of the header, as far as they were captured.
    public var header: Range<Int>
    /// Gives the bytes of the payload, as far as they were captured.
    public var payload: Range<Int>
    /// Gives how many bytes of payload the segment had on the wire.
    public var payloadLength: Int
    /// Says whether the ranges are of the datagrams that were put together.
    public var isReassembled: Bool
    /// Whether the header's length can be one, 20 bytes or more; otherwise the segment opens and closes nothing.
    public var hasHeader = true

    /// Gives the key of the segment's way.
    public var tuple: FiveTuple { FiveTuple(transport: .tcp, source: source, destination: destination) }
}

/// Holds what a packet says about a UDP datagram.
public struct UDPDatagram: Sendable {
    /// Holds the sender, with the address of the IP header around the datagram.
    public var source: Endpoint
    /// Holds the receiver; its address is the last one where a route is given.
    public var destination: Endpoint
    /// Gives the bytes of the header.
    public var header: Range<Int>
    /// Gives the bytes of the payload, as far as they were captured.
    public var payload: Range<Int>
    /// Gives how many bytes of payload the datagram had on the wire.
    public var payloadLength: Int
    /// Says whether the ranges are of the datagrams that were put together.
    public var isReassembled: Bool

    /// Gives the key of the datagram's way.
    public var tuple: FiveTuple { FiveTuple(transport: .udp, source: source, destination: destination) }
}

/// Holds an ICMP message, and what it says about the packet that it quotes.
public struct ICMPMessage: Hashable, Sendable {
    /// Says whether the message is one of ICMPv4 or of ICMPv6.
    public var family: IPAddress.Family
    /// Names the message.
    public var type: UInt8
    /// Tells more about the message.
    public var code: UInt8
    /// Holds the packet that an error is about; nil for other messages, and where the quote is damaged.
    public var quoted: QuotedPacket?
}

/// Holds what an ICMP error says about the packet that it was caused by.
public struct QuotedPacket: Hashable, Sendable {
    /// Holds the addresses of the packet.
    public var addresses: AddressPair
    /// Holds the key of the packet's flow, where the quote reaches the ports of TCP or UDP.
    public var tuple: FiveTuple?
}

/// Says which part of which datagram a fragment is.
public struct PacketFragment: Hashable, Sendable {
    /// Names the datagram.
    public var key: FragmentKey
    /// Names what follows in the datagram; for IPv6 what the first fragment says counts (RFC 8200 section 4.5).
    public var `protocol`: IPProtocol
    /// Gives where the fragment belongs in the datagram, in bytes.
    public var offset: Int
    /// Says that more fragments follow this one.
    public var hasMore: Bool
    /// Gives the fragment's bytes, as far as they were captured.
    public var range: Range<Int>
    /// Gives how many bytes the fragment had on the wire.
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

    /// Says whether all bytes of the fragment are there.
    public var isWhole: Bool { range.count == length }
}

/// Names a datagram that comes in fragments.
public struct FragmentKey: Hashable, Sendable {
    /// Holds the addresses of the datagram.
    public var addresses: AddressPair
    /// Holds the number that the sender gave the datagram.
    public var identification: UInt32
    /// Names what the datagram carries; `fragment` for IPv6, whose fragments need not agree on it.
    public var `protocol`: IPProtocol
    /// Names the VLAN that an IPv4 datagram came over, the innermost of several; 0 without one, and for IPv6.
    public var vlan: UInt16

    /// Creates a key from its parts.
    public init(addresses: AddressPair, identification: UInt32, protocol: IPProtocol = .fragment, vlan: UInt16 = 0) {
        self.addresses = addresses
        self.identification = identification
        self.protocol = `protocol`
        self.vlan = vlan
    }
}
