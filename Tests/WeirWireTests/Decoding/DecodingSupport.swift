import Testing
import WeirWire

extension DecodedPacket {
    /// Decodes a packet on its own.
    init(_ bytes: [UInt8], linkType: LinkType = .ethernet, originalLength: Int? = nil) {
        self.init(bytes.span.bytes, linkType: linkType, originalLength: originalLength)
    }

    /// Names the headers, outermost first.
    var kinds: [LayerKind] { (0..<layers.count).map { layers[$0].kind } }

    /// Says what is wrong with where things are said to be; nil where nothing is.
    func mistake(within count: Int) -> String? {
        var end = 0
        for index in 0..<layers.count where !layers[index].isReassembled {
            let range = layers[index].range
            if range.lowerBound < end || range.upperBound > count { return "the layer \(layers[index])" }
            end = range.upperBound
        }
        if !isPayloadReassembled, payload.upperBound > count { return "the payload \(payload)" }
        if let tcp, !tcp.isReassembled {
            if tcp.header.upperBound != tcp.payload.lowerBound || tcp.payload.upperBound > count { return "\(tcp)" }
            if tcp.payload.count > tcp.payloadLength { return "\(tcp)" }
        }
        if let udp, !udp.isReassembled {
            if udp.header.upperBound != udp.payload.lowerBound || udp.payload.upperBound > count { return "\(udp)" }
            if udp.payload.count > udp.payloadLength { return "\(udp)" }
        }
        return nil
    }
}

/// Expects that each prefix of a packet says a part of what the packet says, and nothing else.
func expectPrefixesAgree(
    _ bytes: [UInt8],
    linkType: LinkType,
    originalLength: Int? = nil,
    location: SourceLocation = #_sourceLocation
) {
    let length = max(originalLength ?? 0, bytes.count)
    let whole = DecodedPacket(bytes, linkType: linkType, originalLength: length)
    let kinds = whole.kinds
    for count in bytes.indices {
        let packet = bytes.span.bytes.extracting(first: count)
        let part = DecodedPacket(packet, linkType: linkType, originalLength: length)
        let mistake = part.mistake(within: count)
        let agrees =
            kinds.starts(with: part.kinds) && (part.network == nil || part.network == whole.network)
            && (part.tcp == nil || part.tcp?.tuple == whole.tcp?.tuple)
            && (part.udp == nil || part.udp?.tuple == whole.udp?.tuple)
        if mistake != nil || !agrees {
            let text = "\(part.kinds) of \(kinds), \(mistake ?? "what is found differs")"
            Issue.record("the first \(count) bytes: \(text)", sourceLocation: location)
            return
        }
    }
}
