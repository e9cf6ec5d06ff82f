extension CaptureReader {
    /// Reads a block with a packet.
    @inline(__always)
    mutating func nextPacket(
        _ type: BlockType,
        _ block: Block,
        in window: RawSpan,
        _ available: Int
    ) throws(CaptureFileError) -> Step {
        let fixed = type == .simplePacket ? 4 : 20
        try check(block, holds: fixed)
        guard available >= 8 &+ fixed else { return .more(8 &+ fixed) }
        let head = type == .simplePacket ? try simpleHead(block, in: window) : try head(type, block, in: window)
        let interface = interfaces[head.interface]
        guard Int(head.captured) <= interface.largestPacket else {
            throw .malformed(.packetTooLong(head.captured, limit: interface.largestPacket), at: position)
        }
        let first = block.start &+ 8 &+ fixed
        let last = first &+ Int(head.captured)
        let options = (first &+ padded(Int(head.captured)), block.start &+ block.length &- 4)
        guard options.0 <= options.1 else { throw .malformed(.packetBeyondBlock(head.captured), at: position) }
        guard options.1 &- options.0 <= Self.largestBlock else {
            throw .malformed(.blockLength(block.written), at: position)
        }
        guard available >= block.length else { return .more(block.length) }
        try checkEnd(of: block, in: window)
        if options.0 < options.1, type != .simplePacket {
            try PacketOptions.check(Range(uncheckedBounds: options), base: block.base, byteOrder, in: window)
        }
        position &+= block.length
        let packet = CapturedPacket(
            head.units.map(interface.clock.nanoseconds),
            Range(uncheckedBounds: (first, last)),
            Int(head.original),
            UInt32(truncatingIfNeeded: head.interface),
            interface.linkType,
            drops: head.drops,
            optionsEnd: type == .simplePacket ? 0 : options.1
        )
        return .item(.packet(packet))
    }

    /// The fixed part of a block with a packet.
    private struct Head {
        let interface: Int
        let units: UInt64?
        let captured: UInt32
        let original: UInt32
        var drops: UInt16 = .max
    }

    @inline(__always)
    private func head(_ type: BlockType, _ block: Block, in window: RawSpan) throws(CaptureFileError) -> Head {
        let start = block.start &+ 8
        let isEnhanced = type == .enhancedPacket
        let interface =
            isEnhanced
            ? window.number(UInt32.self, at: start, byteOrder)
            : UInt32(window.number(UInt16.self, at: start, byteOrder))
        guard interface < interfaces.count else {
            throw .malformed(.noInterface(interface, described: interfaces.count), at: position)
        }
        return Head(
            interface: Int(interface),
            units: units(in: window, at: start &+ 4),
            captured: window.number(at: start &+ 12, byteOrder),
            original: window.number(at: start &+ 16, byteOrder),
            drops: isEnhanced ? .max : window.number(at: start &+ 2, byteOrder)
        )
    }

    /// Makes the head of a packet that has no captured length: it is cut to the interface's snapshot length.
    @inline(__always)
    private func simpleHead(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> Head {
        guard let interface = interfaces.first else { throw .malformed(.noInterface(0, described: 0), at: position) }
        let original = window.number(UInt32.self, at: block.start &+ 8, byteOrder)
        let captured = interface.snapLength == 0 ? original : min(original, interface.snapLength)
        return Head(interface: 0, units: nil, captured: captured, original: original)
    }

    /// Loads a timestamp; its upper half comes first in both byte orders.
    @inline(__always)
    func units(in window: RawSpan, at offset: Int) -> UInt64 {
        UInt64(window.number(UInt32.self, at: offset, byteOrder)) << 32
            | UInt64(window.number(UInt32.self, at: offset &+ 4, byteOrder))
    }
}
