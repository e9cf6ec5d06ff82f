// TCP, UDP and ICMP
extension PacketWalk {
    mutating func tcp(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        guard !isQuoted else { return try quotePorts(.tcp, .tcp, bytes, &packet) }
        let start = offset
        // Not parsed as a whole: its options cost time, and a truncated header still identifies its stream.
        guard let header = TCPHeader(cut: bytes, at: start) else {
            throw .truncated(needed: TCPHeader.minimumSize, available: bytes.byteCount &- start, at: start)
        }
        let size = TCPHeader.declaredSize(in: bytes, at: start)
        let captured = range(start, end, in: bytes)
        let payload = range(start &+ (size ?? captured.count), end, in: bytes)
        if packet.tcp == nil {
            packet.tcp = TCPSegment(
                source: Endpoint(address: source, port: header.sourcePort),
                destination: Endpoint(address: destination, port: header.destinationPort),
                sequenceNumber: header.sequenceNumber,
                acknowledgmentNumber: header.acknowledgmentNumber,
                flags: header.flags,
                window: header.window,
                header: start..<payload.lowerBound,
                payload: payload,
                payloadLength: size.map { max(end &- start &- $0, 0) } ?? 0,
                isReassembled: isReassembled,
                hasHeader: size != nil
            )
        }
        guard let size else { throw .malformed(.tcpHeaderLength, at: start &+ TCPHeader.lengthOffset) }
        try bytes.require(size, at: start)
        pass(.tcp, size, &packet)
        next = .payload
    }

    mutating func udp(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        guard !isQuoted else { return try quotePorts(.udp, .udp, bytes, &packet) }
        let header = try UDPHeader(parsing: bytes, at: offset)
        // Only a jumbogram has no length, and jumbograms exist only in IPv6 (RFC 2675 section 4).
        guard header.length != 0 || !isV4 else { throw .malformed(.udpLength, at: offset &+ 4) }
        let start = offset
        if header.length != 0 { limit(to: Int(header.length)) }
        pass(.udp, UDPHeader.size, &packet)
        next = .payload
        let datagram = UDPDatagram(
            source: Endpoint(address: source, port: header.sourcePort),
            destination: Endpoint(address: destination, port: header.destinationPort),
            header: start..<offset,
            payload: range(offset, end, in: bytes),
            payloadLength: max(end &- offset, 0),
            isReassembled: isReassembled
        )
        if packet.udp == nil {
            packet.udp = datagram
        } else if packet.innerUDP.count < DecodedPacket.mostInner {
            packet.innerUDP.append(datagram)
        }
        try tunnel(header, bytes, &packet)
    }

    mutating func icmpv4(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try ICMPv4Header(parsing: bytes, at: offset)
        pass(.icmpv4, ICMPv4Header.size, &packet)
        next = .payload
        if packet.icmp == nil { packet.icmp = ICMPMessage(family: .v4, type: header.type, code: header.code) }
        guard header.quotesPacket, !isQuoted else { return }
        isQuoted = true
        next = .ipv4
    }

    mutating func icmpv6(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        let header = try ICMPv6Header(parsing: bytes, at: offset)
        pass(.icmpv6, ICMPv6Header.size, &packet)
        next = .payload
        if packet.icmp == nil { packet.icmp = ICMPMessage(family: .v6, type: header.type, code: header.code) }
        guard header.quotesPacket, !isQuoted else { return }
        isQuoted = true
        next = .ipv6
    }

    /// Reads the ports of a packet that an ICMP error quotes, of which only the first 8 bytes after IP are guaranteed.
    private mutating func quotePorts(
        _ transport: Transport,
        _ kind: LayerKind,
        _ bytes: RawSpan,
        _ packet: inout DecodedPacket
    ) throws(DecodeError) {
        try bytes.require(4, at: offset)
        let sourcePort = bytes.load(HeaderNumber<UInt16>(at: 0), at: offset)
        let destinationPort = bytes.load(HeaderNumber<UInt16>(at: 2), at: offset)
        pass(kind, min(UDPHeader.size, bytes.byteCount &- offset), &packet)
        next = .payload
        guard packet.icmp?.quoted != nil, packet.icmp?.quoted?.tuple == nil else { return }
        packet.icmp?.quoted?.tuple = FiveTuple(
            transport: transport,
            source: Endpoint(address: source, port: sourcePort),
            destination: Endpoint(address: destination, port: destinationPort)
        )
    }
}
