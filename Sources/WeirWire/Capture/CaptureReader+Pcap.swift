/// The order of a packet's two lengths in a pcap file.
///
/// Source: libpcap, sf-pcap.c. Programs wrote version 2.3 of the format in both orders, and earlier versions in the
/// swapped order.
enum PcapLengths: Sendable {
    /// The captured length, then the original one.
    case straight
    /// As `straight`; swapped if the first length is the greater one.
    case unsure
    /// The original length, then the captured one.
    case swapped
}

extension CaptureReader {
    private static var headerSize: Int { 24 }

    /// Reads the header of a pcap file; the window begins at the start of the file.
    mutating func beginPcap(
        in window: RawSpan,
        _ order: ByteOrder,
        isNanoseconds: Bool
    ) throws(CaptureFileError) -> Step {
        guard window.byteCount >= Self.headerSize else { return .more(Self.headerSize) }
        let major = window.number(UInt16.self, at: 4, order)
        let minor = window.number(UInt16.self, at: 6, order)
        guard major == 2 else {
            throw .unsupported(version: CaptureVersion(isPcapng: false, major: major, minor: minor), at: 4)
        }
        let link = window.number(UInt32.self, at: 20, order)
        var header = PcapHeader(
            linkType: LinkType(rawValue: UInt16(truncatingIfNeeded: link)),
            byteOrder: order,
            isNanoseconds: isNanoseconds,
            snapLength: window.number(at: 16, order),
            linkFlags: UInt16(truncatingIfNeeded: link >> 16)
        )
        header.timeZone = window.number(at: 8, order)
        header.accuracy = window.number(at: 12, order)
        lengths = minor < 3 ? .swapped : minor == 3 ? .unsure : .straight
        format = .pcap
        byteOrder = order
        interfaces = [
            Interface(
                header.linkType,
                snapLength: header.snapLength,
                clock: CaptureClock(isNanoseconds ? .nanoseconds : .microseconds)
            )
        ]
        position = Self.headerSize
        return .item(.block(.pcapHeader(header)))
    }

    /// Reads the next packet of a pcap file.
    @inline(__always)
    mutating func nextRecord(in window: RawSpan, base: Int) throws(CaptureFileError) -> Step {
        let start = position &- base
        let available = window.byteCount &- start
        if available <= 0 { return .more(recordSize) }
        guard available >= recordSize else { return .more(recordSize) }
        let second = window.number(UInt32.self, at: start, byteOrder)
        let fraction = window.number(UInt32.self, at: start &+ 4, byteOrder)
        var captured = window.number(UInt32.self, at: start &+ 8, byteOrder)
        var original = window.number(UInt32.self, at: start &+ 12, byteOrder)
        if lengths == .swapped || lengths == .unsure && captured > original { swap(&captured, &original) }
        let interface = interfaces[0]
        guard Int(captured) <= interface.largestPacket else {
            throw .malformed(.packetTooLong(captured, limit: interface.largestPacket), at: position)
        }
        let size = recordSize &+ Int(captured)
        guard available >= size else { return .more(size) }
        position &+= size
        // Both fit: 2 to the 32 seconds are less than half of 2 to the 63 nanoseconds.
        let time = Int64(second) &* 1_000_000_000 &+ interface.clock.nanoseconds(UInt64(fraction))
        let packet = CapturedPacket(
            time,
            Range(uncheckedBounds: (start &+ recordSize, start &+ size)),
            Int(original),
            0,
            interface.linkType,
            optionsEnd: 0
        )
        return .item(.packet(packet))
    }
}
