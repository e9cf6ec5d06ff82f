// IP, its extension headers and fragments
extension PacketWalk {
    /// Determines the IP version from the first 4 bits.
    mutating func ip(_ bytes: RawSpan) throws(DecodeError) {
        try bytes.require(1, at: offset)
        switch version(bytes) {
        case 4: next = .ipv4
        case 6: next = .ipv6
        default: throw .malformed(.ipVersion, at: offset)
        }
    }

    /// Reads the first 4 bits of a header; its first byte must be there.
    private func version(_ bytes: RawSpan) -> UInt8 { bytes.load(HeaderNumber<UInt8>(at: 0), at: offset) >> 4 }

    mutating func ipv4(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header: IPv4Header
        do throws(DecodeError) {
            header = try IPv4Header(parsing: bytes, at: offset)
        } catch {
            // A packet marked as IPv4 may be IPv6, as in captures of link type IPV4.
            guard case .malformed(.ipv4Version, _) = error, version(bytes) == 6 else { throw error }
            next = .ipv6
            return
        }
        let length = Int(header.totalLength)
        declaredEnd = length == 0 ? end : offset &+ length
        end = min(end, declaredEnd)
        let pair = AddressPair(source: header.source, destination: header.finalDestination)
        addresses = pair
        if packet.network == nil { packet.network = pair }
        if isQuoted { quote(into: &packet) }
        pass(.ipv4, header.size, &packet)
        next = .internet(header.protocol)
        guard header.isFragment else { return }
        let key = FragmentKey(
            addresses: addresses,
            identification: UInt32(header.identification),
            protocol: header.protocol,
            vlan: vlan
        )
        let hasMore = header.flags.contains(.moreFragments)
        fragment(key, header.protocol, header.fragmentOffset, hasMore, bytes, &packet)
    }

    mutating func ipv6(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try IPv6Header(parsing: bytes, at: offset)
        let pair = AddressPair(source: header.source, destination: header.destination)
        addresses = pair
        if packet.network == nil { packet.network = pair }
        if isQuoted { quote(into: &packet) }
        pass(.ipv6, IPv6Header.size, &packet)
        // Without a length it is a jumbogram (RFC 2675), or the sender left segmentation to its interface (TSO).
        declaredEnd = header.payloadLength == 0 ? end : offset &+ Int(header.payloadLength)
        end = min(end, declaredEnd)
        next = .internet(header.nextHeader)
    }

    mutating func internet(
        _ number: IPProtocol,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) throws(DecodeError) {
        switch number {
        case .tcp: try tcp(bytes, &packet)
        case .udp: try udp(bytes, &packet)
        case .icmp where isV4: try icmpv4(bytes, &packet)
        case .icmpv6 where !isV4: try icmpv6(bytes, &packet)
        case .ipv4: next = .ipv4
        case .ipv6: next = .ipv6
        case .gre: try gre(bytes, &packet)
        case .pim: try pim(bytes, &packet)
        case .mpls: next = .mpls
        case .none: next = .payload
        case .authentication:
            let header = try IPv6ExtensionHeader(parsing: bytes, at: offset, as: number)
            pass(.authentication, header.size, &packet)
            next = .internet(header.nextHeader)
        default:
            guard !isV4 else { throw .unsupported(.internet(number), at: offset) }
            try ipv6Extension(number, bytes, &packet)
        }
    }

    private mutating func ipv6Extension(
        _ number: IPProtocol,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) throws(DecodeError) {
        switch number {
        case .fragment:
            let header = try IPv6FragmentHeader(parsing: bytes, at: offset)
            pass(.ipv6Fragment, IPv6FragmentHeader.size, &packet)
            next = .internet(header.nextHeader)
            guard header.isFragment else { return }
            let key = FragmentKey(addresses: addresses, identification: header.identification)
            let place = header.fragmentOffset
            fragment(key, header.nextHeader, place, header.hasMoreFragments, bytes, &packet)
        case .routing:
            let header = try IPv6RoutingHeader(parsing: bytes, at: offset)
            if let last = header.finalDestination(in: bytes, at: offset) { addresses.destination = last }
            pass(.ipv6Routing, header.size, &packet)
            next = .internet(header.nextHeader)
        default:
            guard IPv6ExtensionHeader.reads(number) else { throw .unsupported(.internet(number), at: offset) }
            let header = try IPv6ExtensionHeader(parsing: bytes, at: offset, as: number)
            pass(.ipv6Extension, header.size, &packet)
            next = .internet(header.nextHeader)
        }
    }

    /// Ends the walk at a fragment, unless it is the first one and cannot be reassembled.
    private mutating func fragment(
        _ key: FragmentKey,
        _ number: IPProtocol,
        _ place: Int,
        _ hasMore: Bool,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) {
        let fragment = PacketFragment(
            key: key,
            protocol: number,
            offset: place,
            hasMore: hasMore,
            range: range(offset, end, in: bytes),
            length: max(declaredEnd &- offset, 0)
        )
        if !isQuoted { packet.fragment = fragment }
        let isLeft = leavesFragments && !isQuoted && fragment.isWhole && fragment.length > 0
        if place > 0 || isLeft { next = .payload }
    }

    /// Records the addresses of the packet that an ICMP error quotes.
    private func quote(into packet: inout DecodedPacket) {
        guard packet.icmp?.quoted == nil else { return }
        packet.icmp?.quoted = QuotedPacket(addresses: addresses)
    }
}
