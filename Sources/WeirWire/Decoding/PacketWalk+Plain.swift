// The fast path for most packets
extension PacketWalk {
    /// Reads an Ethernet frame with one IPv4 packet, no options and a whole TCP segment or UDP datagram, all at once.
    ///
    /// The result is the same as that of `walk`, which goes header by header, in a third of the time. All other
    /// packets, damaged ones too, are left to `walk`.
    ///
    /// - Returns: Whether the packet was a plain one; if not, nothing has changed.
    @inline(__always)
    mutating func readPlain(_ bytes: RawSpan, into packet: inout DecodedPacket) -> Bool {
        guard case .ethernet = next else { return false }
        let ip = EthernetHeader.size
        let start = ip &+ IPv4Header.minimumSize
        guard bytes.byteCount >= start, EthernetHeader.type(in: bytes) == .ipv4,
            let header = IPv4Header.plain(in: bytes, at: ip)
        else { return false }
        let last = ip &+ header.totalLength
        guard last <= bytes.byteCount else { return false }
        let pair = AddressPair(source: IPAddress(v4: header.source), destination: IPAddress(v4: header.destination))
        let payload: Range<Int>
        switch header.protocol {
        case .udp:
            guard last &- start >= UDPHeader.size, let udp = try? UDPHeader(parsing: bytes, at: start),
                udp.length >= UDPHeader.size, start &+ Int(udp.length) <= last, Tunnel(udp) == nil
            else { return false }
            payload = Range(uncheckedBounds: (start &+ UDPHeader.size, start &+ Int(udp.length)))
            packet.udp = UDPDatagram(
                source: Endpoint(address: pair.source, port: udp.sourcePort),
                destination: Endpoint(address: pair.destination, port: udp.destinationPort),
                header: Range(uncheckedBounds: (start, payload.lowerBound)),
                payload: payload,
                payloadLength: payload.count,
                isReassembled: false
            )
        case .tcp:
            guard last &- start >= TCPHeader.minimumSize, let tcp = TCPHeader(cut: bytes, at: start),
                let size = TCPHeader.declaredSize(in: bytes, at: start), start &+ size <= last
            else { return false }
            payload = Range(uncheckedBounds: (start &+ size, last))
            packet.tcp = TCPSegment(
                source: Endpoint(address: pair.source, port: tcp.sourcePort),
                destination: Endpoint(address: pair.destination, port: tcp.destinationPort),
                sequenceNumber: tcp.sequenceNumber,
                acknowledgmentNumber: tcp.acknowledgmentNumber,
                flags: tcp.flags,
                window: tcp.window,
                header: Range(uncheckedBounds: (start, payload.lowerBound)),
                payload: payload,
                payloadLength: payload.count,
                isReassembled: false
            )
        default: return false
        }
        packet.layers.append(.ethernet, start: 0, length: ip, isReassembled: false)
        packet.layers.append(.ipv4, start: ip, length: start &- ip, isReassembled: false)
        let kind: LayerKind = header.protocol == .udp ? .udp : .tcp
        packet.layers.append(kind, start: start, length: payload.lowerBound &- start, isReassembled: false)
        packet.network = pair
        packet.payload = payload
        return true
    }
}
