// Tunnels
extension PacketWalk {
    mutating func gre(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try GREHeader(parsing: bytes, at: offset)
        pass(.gre, header.size, &packet)
        switch header.type {
        case .ppp: next = .ppp
        // Without a sequence number it is ERSPAN type I, which has no header of its own.
        case .erspan: next = header.sequenceNumber == nil ? .ethernet : .erspan
        case .erspan3: next = .erspan
        case .wccp: try wccp(bytes, &packet)
        default: next = .type(header.type)
        }
    }

    private mutating func wccp(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try WCCPHeader(parsing: bytes, at: offset)
        next = .ipv4
        // Version 1 has no header: the packet itself begins here, with its version and length.
        guard header.flags != 0x45 else { return }
        pass(.wccp, WCCPHeader.size, &packet)
    }

    mutating func erspan(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try ERSPANHeader(parsing: bytes, at: offset)
        pass(.erspan, header.size, &packet)
        next = .ethernet
    }

    mutating func pim(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try PIMHeader(parsing: bytes, at: offset)
        guard header.type == PIMHeader.register else { throw .unsupported(.internet(.pim), at: offset) }
        pass(.pim, PIMHeader.size, &packet)
        next = header.carriesPacket ? .ip : .payload
    }

    /// The tunnel protocol of a UDP datagram.
    enum Tunnel {
        case vxlan, vxlanExtension, geneve, gtp, gre, mpls, capwap

        /// Finds the tunnel protocol by the ports of a datagram; nil if it is no tunnel.
        @inline(__always)
        init?(_ header: UDPHeader) {
            switch header.destinationPort {
            case VXLANHeader.port: self = .vxlan
            case VXLANHeader.extensionPort: self = .vxlanExtension
            case GeneveHeader.port: self = .geneve
            case GTPHeader.port: self = .gtp
            case GREHeader.port: self = .gre
            case MPLSLabel.port: self = .mpls
            default:
                guard header.sourcePort == CAPWAPHeader.port || header.destinationPort == CAPWAPHeader.port else {
                    return nil
                }
                self = .capwap
            }
        }
    }

    /// Continues with the packet in a datagram, if a port is that of a tunnel and the tunnel's header says so.
    @inline(__always)
    mutating func tunnel(
        _ header: UDPHeader,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) throws(DecodeError) {
        switch Tunnel(header) {
        case .vxlan: try vxlan(bytes, &packet)
        case .vxlanExtension: try vxlanExtension(bytes, &packet)
        case .geneve: try geneve(bytes, &packet)
        case .gtp: try gtp(bytes, &packet)
        case .gre: next = .gre
        case .mpls: next = .mpls
        case .capwap: try capwap(bytes, &packet)
        case nil: break
        }
    }

    private mutating func vxlan(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try VXLANHeader(parsing: bytes, at: offset)
        guard header.hasNetwork else { return }
        pass(.vxlan, VXLANHeader.size, &packet)
        next = .ethernet
    }

    private mutating func vxlanExtension(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try VXLANHeader(parsing: bytes, at: offset)
        guard header.hasNetwork else { return }
        pass(.vxlan, VXLANHeader.size, &packet)
        switch header.nextProtocol {
        case 1: next = .ipv4
        case 2: next = .ipv6
        case 3, nil: next = .ethernet
        case 4: next = .nsh
        default: next = .payload
        }
    }

    private mutating func capwap(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try CAPWAPHeader(parsing: bytes, at: offset)
        pass(.capwap, header.size, &packet)
        switch header.payload {
        case .ethernet: next = .ethernet
        case .wireless: next = .wireless
        case .other: next = .payload
        }
    }

    mutating func nsh(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try NSHHeader(parsing: bytes, at: offset)
        pass(.nsh, header.size, &packet)
        switch header.nextProtocol {
        case 1: next = .ipv4
        case 2: next = .ipv6
        case 3: next = .ethernet
        case 4: next = .nsh
        case 5: next = .mpls
        default: next = .payload
        }
    }

    private mutating func geneve(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try GeneveHeader(parsing: bytes, at: offset)
        pass(.geneve, header.size, &packet)
        next = .type(header.type)
    }

    private mutating func gtp(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try GTPHeader(parsing: bytes, at: offset)
        guard header.message == GTPHeader.userData else { return }
        let start = try header.payloadOffset(in: bytes, at: offset)
        pass(.gtp, start &- offset, &packet)
        next = .ip
    }
}
