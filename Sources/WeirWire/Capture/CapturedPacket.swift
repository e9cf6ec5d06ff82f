/// Describes one packet of a capture, and says where its bytes are.
///
/// A plain value of numbers: the bytes stay where they were read from.
@frozen
public struct CapturedPacket: Hashable, Sendable {
    /// Holds nanoseconds since 1970 UTC; nil where the file does not say, as in a Simple Packet Block.
    public var timestamp: Int64?
    /// Says where the captured bytes are in the window that was read.
    public var range: Range<Int>
    /// Holds the packet's length on the wire in bytes; some files give less than was captured.
    public var originalLength: Int
    /// Holds the number of the interface in its section; 0 in a pcap file.
    public var interface: UInt32
    /// Names the outermost header.
    public var linkType: LinkType
    /// Counts what the obsolete Packet Block says was dropped before; 65,535 is not known.
    @usableFromInline var drops: UInt16
    /// Gives where the options end in the window; they begin after the packet and its padding.
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

    /// Gives how many bytes were captured.
    @inlinable
    public var capturedLength: Int { range.count }
}

/// Holds one thing that a capture file tells.
public enum CaptureItem: Hashable, Sendable {
    /// Describes a packet.
    case packet(CapturedPacket)
    /// Holds what stands between packets.
    case block(CaptureBlock)
}

/// Holds what stands between the packets of a capture file.
public indirect enum CaptureBlock: Hashable, Sendable {
    /// Begins a pcap file.
    case pcapHeader(PcapHeader)
    /// Begins a section of a pcapng file: interfaces are numbered from 0 again.
    case section(CaptureSection)
    /// Describes the next interface.
    case interface(CaptureInterface)
    /// Holds names of addresses.
    case names(CaptureNames)
    /// Holds what an interface counted.
    case statistics(CaptureStatistics)
    /// Holds secrets that packets are decrypted with.
    case secrets(CaptureSecrets)
    /// Holds what somebody defined for themselves.
    case custom(CustomBlock)
}
