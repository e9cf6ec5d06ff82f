import WeirWire

/// Decodes the packets of a capture, or, of any other bytes, pieces of them as packets of each link type in turn; what is
/// said of a packet must be inside it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    // Small limits, so that datagrams are given up, too.
    var decoder = PacketDecoder(limits: .init(datagrams: 8, bytes: 100_000))
    var packet = DecodedPacket()
    let window = file.span.bytes
    var reader = CaptureReader()
    var packets = 0
    while let item = try? reader.next(in: window) {
        guard case .packet(let found) = item else { continue }
        let bytes = window.extracting(found.range)
        decoder.decode(bytes, linkType: found.linkType, originalLength: found.originalLength, into: &packet)
        check(packet, bytes, decoder)
        packets += 1
    }
    guard packets == 0 else { return 0 }
    var offset = 1
    while offset < count {
        let length = min(Int(file[offset]) + 14, count - offset)
        let bytes = window.extracting(offset..<(offset + length))
        let linkType = linkTypes[(Int(file[0]) + packets) % linkTypes.count]
        decoder.decode(bytes, linkType: linkType, originalLength: length + Int(file[0] & 3), into: &packet)
        check(packet, bytes, decoder)
        offset += length
        packets += 1
    }
    return 0
}

private let linkTypes: [LinkType] = [
    .ethernet, .null, .loop, .raw, .rawBSD, .rawOpenBSD, .linuxSLL, .linuxSLL2, .ipv4, .ipv6, .ppp, .pktap,
]

private func check(_ packet: DecodedPacket, _ bytes: RawSpan, _ decoder: borrowing PacketDecoder) {
    let reassembled = decoder.withReassembledBytes { $0.byteCount }
    func isInside(_ range: Range<Int>, _ isReassembled: Bool) -> Bool {
        range.upperBound <= (isReassembled ? reassembled : bytes.byteCount)
    }
    var ends = (captured: 0, reassembled: 0)
    for index in 0..<packet.layers.count {
        let layer = packet.layers[index]
        precondition(isInside(layer.range, layer.isReassembled), "a layer is in the packet")
        let end = layer.isReassembled ? ends.reassembled : ends.captured
        precondition(layer.range.lowerBound >= end, "layers do not overlap")
        if layer.isReassembled {
            ends.reassembled = layer.range.upperBound
        } else {
            ends.captured = layer.range.upperBound
        }
    }
    precondition(isInside(packet.payload, packet.isPayloadReassembled), "the payload is in the packet")
    if let tcp = packet.tcp {
        precondition(isInside(tcp.payload, tcp.isReassembled) && tcp.header.upperBound == tcp.payload.lowerBound)
        precondition(tcp.payload.count <= tcp.payloadLength, "no more was captured than sent")
    }
    if let udp = packet.udp {
        precondition(isInside(udp.payload, udp.isReassembled) && udp.header.upperBound == udp.payload.lowerBound)
        precondition(udp.payload.count <= udp.payloadLength, "no more was captured than sent")
    }
    precondition(decoder.reassembler.waitingBytes <= decoder.reassembler.limits.bytes, "what waits is bounded")
    precondition(decoder.reassembler.waitingDatagrams <= decoder.reassembler.limits.datagrams)
    if let stop = packet.stop { precondition(!stop.description.isEmpty && stop.offset >= 0, "a reason has words") }
}
