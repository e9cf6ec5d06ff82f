// The fast path for most packets
extension CaptureReader {
    /// Reads the next packet if it is a plain one; nil if it is not, and the caller must use `next(in:at:)`.
    ///
    /// Plain packets are the records of a pcap file since version 2.4, and Enhanced Packet Blocks without options,
    /// whole in the window and in this machine's byte order. All others, damaged ones too, are left to `next(in:at:)`,
    /// which returns the same for plain packets, in twice the time.
    ///
    /// - Parameters:
    ///   - window: Bytes of the file.
    ///   - base: The offset in the file of the window's first byte; not after `position`.
    /// - Returns: The packet.
    @inline(__always)
    mutating func nextPlain(in window: RawSpan, at base: Int) -> CapturedPacket? {
        guard byteOrder == .host, failure == nil else { return nil }
        let start = position &- base
        let available = window.byteCount &- start
        switch format {
        case .pcap: return plainRecord(in: window, start, available)
        case .pcapng: return plainBlock(in: window, start, available)
        case nil: return nil
        }
    }

    @inline(__always)
    private mutating func plainRecord(in window: RawSpan, _ start: Int, _ available: Int) -> CapturedPacket? {
        guard available >= recordSize, lengths == .straight else { return nil }
        let captured = Int(window.number(UInt32.self, at: start &+ 8, .host))
        let size = recordSize &+ captured
        guard available >= size, captured <= interfaces[0].largestPacket else { return nil }
        position &+= size
        let fraction = interfaces[0].clock.nanoseconds(UInt64(window.number(UInt32.self, at: start &+ 4, .host)))
        return CapturedPacket(
            Int64(window.number(UInt32.self, at: start, .host)) &* 1_000_000_000 &+ fraction,
            Range(uncheckedBounds: (start &+ recordSize, start &+ size)),
            Int(window.number(UInt32.self, at: start &+ 12, .host)),
            0,
            interfaces[0].linkType,
            optionsEnd: 0
        )
    }

    @inline(__always)
    private mutating func plainBlock(in window: RawSpan, _ start: Int, _ available: Int) -> CapturedPacket? {
        let fixed = Self.smallestBlock &+ 20
        guard available >= fixed, skipped == nil,
            window.number(UInt32.self, at: start, .host) == BlockType.enhancedPacket.rawValue
        else { return nil }
        let length = Int(window.number(UInt32.self, at: start &+ 4, .host))
        let interface = Int(window.number(UInt32.self, at: start &+ 8, .host))
        let captured = Int(window.number(UInt32.self, at: start &+ 20, .host))
        guard length <= available, length == fixed &+ padded(captured), interface < interfaces.count,
            captured <= interfaces[interface].largestPacket,
            Int(window.number(UInt32.self, at: start &+ length &- 4, .host)) == length
        else { return nil }
        position &+= length
        let first = start &+ 28
        return CapturedPacket(
            interfaces[interface].clock.nanoseconds(units(in: window, at: start &+ 12)),
            Range(uncheckedBounds: (first, first &+ captured)),
            Int(window.number(UInt32.self, at: start &+ 24, .host)),
            UInt32(truncatingIfNeeded: interface),
            interfaces[interface].linkType,
            optionsEnd: start &+ length &- 4
        )
    }
}
