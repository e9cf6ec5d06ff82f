// Link layers, and the headers between them and IP
extension PacketWalk {
    mutating func ethernet(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try EthernetHeader(parsing: bytes, at: offset)
        pass(.ethernet, EthernetHeader.size, &packet)
        follow(header.type)
    }

    /// Continues with an EtherType, or with the LLC header if the number is the length of an IEEE 802.3 frame.
    private mutating func follow(_ type: EtherType) {
        if type.rawValue <= 1500 {
            limit(to: Int(type.rawValue))
            next = .llc
        } else {
            next = .type(type)
        }
    }

    mutating func etherType(
        _ type: EtherType,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) throws(DecodeError) {
        switch type {
        case .ipv4: try ipv4(bytes, &packet)
        case .ipv6: try ipv6(bytes, &packet)
        case .vlan, .serviceVLAN, .oldServiceVLAN:
            let tag = try VLANTag(parsing: bytes, at: offset)
            pass(.vlan, VLANTag.size, &packet)
            vlan = tag.identifier
            follow(tag.type)
        case .backbone:
            _ = try BackboneTag(parsing: bytes, at: offset)
            pass(.backbone, BackboneTag.size, &packet)
            next = .ethernet
        case .vnTag:
            let tag = try VNTag(parsing: bytes, at: offset)
            pass(.vnTag, VNTag.size, &packet)
            follow(tag.type)
        case .eTag:
            let tag = try ETag(parsing: bytes, at: offset)
            pass(.eTag, ETag.size, &packet)
            follow(tag.type)
        case .macsec: try macsec(bytes, &packet)
        case .nsh: next = .nsh
        case .fabricPath:
            _ = try FabricPathTag(parsing: bytes, at: offset)
            pass(.fabricPath, FabricPathTag.size, &packet)
            next = .ethernet
        case .ethernet: next = .ethernet
        case .mpls, .mplsMulticast: next = .mpls
        case .pppoeSession: try pppoe(bytes, &packet)
        case .arp:
            _ = try ARPHeader(parsing: bytes, at: offset)
            pass(.arp, ARPHeader.size, &packet)
            next = .payload
        default: throw .unsupported(.etherType(type), at: offset)
        }
    }

    mutating func llc(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try LLCHeader(parsing: bytes, at: offset)
        pass(.llc, header.size, &packet)
        guard header.isUnnumbered else { throw .unsupported(.llc(header.destination), at: offset) }
        switch header.destination {
        case LLCHeader.ipv4: next = .ipv4
        case LLCHeader.snap:
            let snap = try SNAPHeader(parsing: bytes, at: offset)
            pass(.snap, SNAPHeader.size, &packet)
            guard snap.hasEtherType else { throw .unsupported(.llc(header.destination), at: offset) }
            next = .type(snap.type)
        default: throw .unsupported(.llc(header.destination), at: offset)
        }
    }

    mutating func loopback(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try LoopbackHeader(parsing: bytes, at: offset)
        pass(.loopback, LoopbackHeader.size, &packet)
        switch header.version {
        case .v4: next = .ipv4
        case .v6: next = .ipv6
        case nil: throw .unsupported(.addressFamily(header.family), at: offset)
        }
    }

    mutating func linuxCooked(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try LinuxCookedHeader(parsing: bytes, at: offset)
        pass(.linuxCooked, LinuxCookedHeader.size, &packet)
        try follow(linux: header.type)
    }

    mutating func linuxCooked2(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try LinuxCooked2Header(parsing: bytes, at: offset)
        pass(.linuxCooked2, LinuxCooked2Header.size, &packet)
        try follow(linux: header.type)
    }

    /// Continues with an EtherType; Linux has numbers of its own below 1536, of which 4 is LLC.
    private mutating func follow(linux type: EtherType) throws(DecodeError) {
        if type.rawValue == 4 {
            next = .llc
        } else if type.rawValue >= 1536 {
            next = .type(type)
        } else {
            throw .unsupported(.etherType(type), at: offset)
        }
    }

    mutating func ciscoHDLC(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try CiscoHDLCHeader(parsing: bytes, at: offset)
        pass(.ciscoHDLC, CiscoHDLCHeader.size, &packet)
        switch header.type {
        case .ipv4, .ipv6, .mpls, .mplsMulticast: next = .type(header.type)
        default: throw .unsupported(.etherType(header.type), at: offset)
        }
    }

    mutating func nflog(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try NFLOGHeader(parsing: bytes, at: offset, end: end)
        pass(.nflog, header.size, &packet)
        limit(to: header.length)
        switch header.family {
        case 2 where header.length > 0: next = .ipv4
        case 10 where header.length > 0: next = .ipv6
        default: next = .payload
        }
    }

    mutating func wireless(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try WirelessHeader(parsing: bytes, at: offset)
        pass(.wireless, header.size, &packet)
        next = header.carriesPacket ? .llc : .payload
    }

    private mutating func macsec(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let tag = try MACsecTag(parsing: bytes, at: offset)
        guard tag.isClear else { throw .unsupported(.etherType(.macsec), at: offset) }
        let type = offset &+ tag.size
        try bytes.require(tag.size &+ 2, at: offset)
        pass(.macsec, tag.size &+ 2, &packet)
        end = max(end &- MACsecTag.checkSize, offset)
        follow(EtherType(rawValue: bytes.load(HeaderNumber(at: 0), at: type)))
    }

    private mutating func pppoe(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try PPPoEHeader(parsing: bytes, at: offset)
        pass(.pppoe, PPPoEHeader.size, &packet)
        limit(to: Int(header.length))
        next = header.code == 0 ? .ppp : .payload
    }

    mutating func ppp(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try PPPHeader(parsing: bytes, at: offset)
        pass(.ppp, header.size, &packet)
        switch header.protocol {
        case PPPHeader.ipv4: next = .ipv4
        case PPPHeader.ipv6: next = .ipv6
        case PPPHeader.mpls: next = .mpls
        default: throw .unsupported(.ppp(header.protocol), at: offset)
        }
    }

    mutating func mpls(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let label = try MPLSLabel(parsing: bytes, at: offset)
        pass(.mpls, MPLSLabel.size, &packet)
        // A label does not tell the protocol after the last one; the IP version does.
        next = label.isBottom ? .ip : .mpls
    }
}
