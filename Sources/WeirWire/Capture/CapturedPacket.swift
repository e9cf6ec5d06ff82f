/// One packet of a capture, with the range of its bytes.
///
/// A plain value of numbers: the bytes stay in the window.
@frozen
public struct CapturedPacket: Hashable, Sendable {
    /// The time in nanoseconds since 1970 UTC; nil if the file has none, as in a Simple Packet Block.
    public var timestamp: Int64?
    /// The range of the captured bytes in the window.
    public var range: Range<Int>
    /// The packet's length on the wire in bytes; some files give less than was captured.
    public var originalLength: Int
    /// The number of the interface in its section; 0 in a pcap file.
    public var interface: UInt32
    /// The link type: the packet's outermost header.
    public var linkType: LinkType
    /// The number of packets dropped before this one, from the obsolete Packet Block; 65,535 if not known.
    @usableFromInline var drops: UInt16
    /// The offset in the window of the end of the options, which begin after the packet and its padding.
    @usableFromInline var optionsEnd: Int

    /// Creates the description of a packet.
    @inlinable
    public init(
        timestamp: Int64?,
        range: Range<Int>,
        originalLength: Int,
        interface: UInt32 = 0,
        linkType: LinkType
    ) {
        self.init(timestamp, range, originalLength, interface, linkType, optionsEnd: 0)
    }

    @inlinable
    @inline(__always)
    init(
        _ timestamp: Int64?,
        _ range: Range<Int>,
        _ originalLength: Int,
        _ interface: UInt32,
        _ linkType: LinkType,
        drops: UInt16 = .max,
        optionsEnd: Int
    ) {
        self.timestamp = timestamp
        self.range = range
        self.originalLength = originalLength
        self.interface = interface
        self.linkType = linkType
        self.drops = drops
        self.optionsEnd = optionsEnd
    }

    /// The number of captured bytes.
    @inlinable
    public var capturedLength: Int { range.count }
}

/// One item of a capture file.
public enum CaptureItem: Hashable, Sendable {
    /// A packet.
    case packet(CapturedPacket)
    /// A block between packets.
    case block(CaptureBlock)
}

/// A block between the packets of a capture file.
public indirect enum CaptureBlock: Hashable, Sendable {
    /// The start of a pcap file.
    case pcapHeader(PcapHeader)
    /// The start of a section of a pcapng file: interfaces are numbered from 0 again.
    case section(CaptureSection)
    /// The description of the next interface.
    case interface(CaptureInterface)
    /// Names of addresses.
    case names(CaptureNames)
    /// The statistics of an interface.
    case statistics(CaptureStatistics)
    /// Secrets for decrypting packets.
    case secrets(CaptureSecrets)
    /// A custom block.
    case custom(CustomBlock)
}
