public import WeirDissect
public import WeirWire

/// A description of a packet in a few words: its source, its destination, its protocol and its purpose.
///
/// The columns and words are those of tshark 4.0, for TCP, UDP, ICMP and ARP; of a packet within a packet, the
/// innermost counts. The value is refilled for each packet, so that describing one allocates little.
public struct PacketDescription: ~Copyable, Sendable {
    /// The sender: an IP or Ethernet address.
    public internal(set) var source = ByteBuffer(capacity: 64)
    /// The receiver: an IP or Ethernet address.
    public internal(set) var destination = ByteBuffer(capacity: 64)
    /// The name of the protocol.
    public internal(set) var name = ByteBuffer(capacity: 32)
    /// The purpose of the packet.
    public internal(set) var info = ByteBuffer(capacity: 256)
    /// The window shifts of the two sides of each flow, in bits, as far as their SYNs were captured: the client's
    /// first.
    private var shifts: [Int: (UInt8?, UInt8?)] = [:]

    /// Creates the description of no packet.
    public init() {}

    /// Describes a packet.
    ///
    /// - Parameters:
    ///   - bytes: the packet's captured bytes.
    ///   - flows: the decoded packet, and its place in its flow.
    public mutating func describe(_ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        source.removeAll()
        destination.removeAll()
        name.removeAll()
        info.removeAll()
        let found = FoundLayers(flows.packet)
        if let link = found.link, found.network == nil || found.top?.kind == .arp {
            describe(link: link, bytes)
        }
        if let network = found.network {
            flows.withBytes(of: network, bytes) { describe(network: network, $0) }
        }
        switch found.top?.kind {
        case .tcp: flows.withBytes(of: found.top, bytes) { describe(tcp: $0, in: flows, found) }
        case .udp: flows.withBytes(of: found.top, bytes) { describe(udp: $0) }
        case .icmpv4: flows.withBytes(of: found.top, bytes) { describe(icmpv4: $0, found.hopLimit(flows, bytes)) }
        case .icmpv6: flows.withBytes(of: found.top, bytes) { describe(icmpv6: $0, found.hopLimit(flows, bytes)) }
        case .arp: flows.withBytes(of: found.top, bytes) { describe(arp: $0) }
        default: describeRest(flows.packet, found)
        }
        // The payload of a transport is not decoded here, and a packet quoted in an ICMP error is seldom complete.
        guard let stop = flows.packet.stop, found.top != nil, flows.packet.icmp == nil else { return }
        if case .unsupported = stop { return }
        info.append(" [")
        info.append("\(stop)")
        info.append("]")
    }

    private mutating func describe(link: Layer, _ bytes: RawSpan) {
        guard let header = try? EthernetHeader(parsing: bytes.extracting(link.range)) else { return }
        header.source.write(to: &source)
        header.destination.write(to: &destination)
    }

    private mutating func describe(network: Layer, _ bytes: RawSpan) {
        if network.kind == .ipv4, let header = try? IPv4Header(parsing: bytes) {
            header.source.write(to: &source)
            header.destination.write(to: &destination)
        } else if let header = try? IPv6Header(parsing: bytes) {
            header.source.write(to: &source)
            header.destination.write(to: &destination)
        }
    }

    private mutating func describe(
        tcp bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ found: borrowing FoundLayers
    ) {
        name.append("TCP")
        guard let header = try? TCPHeader(parsing: bytes), let segment = flows.packet.tcp else { return }
        // The flow is that of the outermost segment; one within another has no relative numbers of its own.
        let place = segment.header.lowerBound == found.top?.range.lowerBound ? flows.tcp : nil
        var (first, other) = (UInt32?.none, UInt32?.none)
        var shift: UInt8 = 0
        if let place {
            let flow = flows.table[place.index]
            (first, other) = (flow.firstNumber(of: place.direction), flow.firstNumber(of: place.direction.opposite))
            shift = windowShift(header, place)
        }
        TCPInfo(header, length: segment.payloadLength, first: first, other: other, shift: shift).append(to: &info)
    }

    /// Notes the shift in a SYN, and returns the one for this segment: it applies if both SYNs have one.
    private mutating func windowShift(_ header: TCPHeader, _ place: FlowTable.Place) -> UInt8 {
        var both = place.isNew ? (nil, nil) : shifts[place.index] ?? (nil, nil)
        if place.hasTurned { both = (both.1, both.0) }
        let isUp = place.direction == .upstream
        if header.flags.contains(.syn) {
            if isUp { both.0 = header.options.windowScale } else { both.1 = header.options.windowScale }
            shifts[place.index] = both
            return 0
        }
        guard both.0 != nil, both.1 != nil else { return 0 }
        return (isUp ? both.0 : both.1) ?? 0
    }

    private mutating func describe(udp bytes: RawSpan) {
        name.append("UDP")
        guard let header = try? UDPHeader(parsing: bytes) else { return }
        info.appendDecimal(header.sourcePort)
        info.append(" → ")
        info.appendDecimal(header.destinationPort)
        info.append(" Len=")
        info.appendDecimal(max(Int(header.length) - UDPHeader.size, 0))
    }

    private mutating func describe(icmpv4 bytes: RawSpan, _ hopLimit: UInt8) {
        name.append("ICMP")
        guard let header = try? ICMPv4Header(parsing: bytes) else { return }
        ICMPInfo.append(header, timeToLive: hopLimit, to: &info)
    }

    private mutating func describe(icmpv6 bytes: RawSpan, _ hopLimit: UInt8) {
        name.append("ICMPv6")
        guard let header = try? ICMPv6Header(parsing: bytes) else { return }
        ICMPInfo.append(header, hopLimit: hopLimit, to: &info)
        NeighborInfo.append(header, bytes, to: &info)
    }

    private mutating func describe(arp bytes: RawSpan) {
        name.append("ARP")
        guard let header = try? ARPHeader(parsing: bytes) else { return }
        switch header.operation {
        case 1:
            info.append("Who has ")
            header.target.write(to: &info)
            info.append("? Tell ")
            header.sender.write(to: &info)
        case 2:
            header.sender.write(to: &info)
            info.append(" is at ")
            header.senderHardware.write(to: &info)
        default:
            info.append("operation ")
            info.appendDecimal(header.operation)
        }
    }

    /// Describes a fragment, or a packet that is not decoded further.
    private mutating func describeRest(_ packet: borrowing DecodedPacket, _ found: borrowing FoundLayers) {
        if let fragment = packet.fragment {
            let isV4 = fragment.key.addresses.source.isV4
            name.append(isV4 ? "IPv4" : "IPv6")
            if isV4 {
                info.append("Fragmented IP protocol (proto=")
                info.append(fragment.key.protocol.name)
                info.appendDecimal(fragment.key.protocol.rawValue)
                info.append(", off=\(fragment.offset), ID=")
                info.appendHex(fragment.key.identification, digits: 4)
            } else {
                info.append("IPv6 fragment (off=\(fragment.offset) more=\(fragment.hasMore ? "y" : "n") ident=0x")
                info.appendHex(fragment.key.identification)
                info.append(" nxt=\(fragment.key.protocol.rawValue)")
            }
            info.append(")")
            return
        }
        switch packet.stop {
        case .unsupported(.etherType(let type), _): name.append("\(type)")
        default: name.append(found.last?.kind.name ?? "unknown")
        }
        if let stop = packet.stop { info.append("\(stop)") }
    }
}

extension LayerKind {
    /// The name shown for a packet whose last header is this one.
    fileprivate var name: StaticString {
        switch self {
        case .ipv4: "IPv4"
        case .ipv6, .ipv6Extension, .ipv6Routing, .ipv6Fragment, .authentication: "IPv6"
        case .ethernet, .vlan, .backbone, .vnTag, .macsec, .fabricPath, .eTag: "Ethernet"
        case .llc, .snap: "LLC"
        case .loopback: "Loopback"
        case .linuxCooked, .linuxCooked2: "SLL"
        case .pppoe: "PPPoE"
        case .ppp: "PPP"
        case .mpls: "MPLS"
        case .arp: "ARP"
        case .tcp: "TCP"
        case .udp: "UDP"
        case .icmpv4: "ICMP"
        case .icmpv6: "ICMPv6"
        case .gre: "GRE"
        case .erspan: "ERSPAN"
        case .pim: "PIM"
        case .vxlan: "VXLAN"
        case .geneve: "Geneve"
        case .nsh: "NSH"
        case .gtp: "GTP"
        case .wccp: "WCCP"
        case .ciscoHDLC: "CHDLC"
        case .nflog: "NFLOG"
        case .capwap: "CAPWAP"
        case .wireless: "802.11"
        }
    }
}

/// The headers that a packet's line is made of.
private struct FoundLayers {
    var link: Layer?
    /// The innermost IP header, but none quoted in an ICMP error.
    var network: Layer?
    /// The innermost header above IP, or ARP.
    var top: Layer?
    var last: Layer?

    init(_ packet: borrowing DecodedPacket) {
        for index in 0..<packet.layers.count {
            let layer = packet.layers[index]
            last = layer
            switch layer.kind {
            case .ethernet:
                link = layer
                (network, top) = (nil, nil)
            case .ipv4, .ipv6:
                network = layer
                top = nil
            case .tcp, .udp, .arp: top = layer
            case .icmpv4, .icmpv6:
                top = layer
                return
            default: break
            }
        }
    }

    func hopLimit(_ flows: borrowing CaptureFlows, _ bytes: RawSpan) -> UInt8 {
        var limit: UInt8 = 0
        flows.withBytes(of: network, bytes) { bytes in
            limit = (try? IPv4Header(parsing: bytes))?.timeToLive ?? (try? IPv6Header(parsing: bytes))?.hopLimit ?? 0
        }
        return limit
    }
}

extension CaptureFlows {
    /// Lends the bytes from a header to the end of the packet.
    fileprivate borrowing func withBytes(of layer: Layer?, _ bytes: RawSpan, _ body: (RawSpan) -> Void) {
        guard let layer else { return }
        guard layer.isReassembled else { return body(bytes.extracting(layer.range.lowerBound..<bytes.byteCount)) }
        decoder.withReassembledBytes { body($0.extracting(layer.range.lowerBound..<$0.byteCount)) }
    }
}

extension IPProtocol {
    /// The name in tshark, with a blank after it; empty for a less known protocol.
    fileprivate var name: StaticString {
        switch self {
        case .tcp: "TCP "
        case .udp: "UDP "
        case .icmp: "ICMP "
        case .icmpv6: "IPv6-ICMP "
        case .gre: "GRE "
        default: ""
        }
    }
}
