/// Reads a pcap or pcapng capture, which of them it finds out itself, out of any memory that its bytes are in.
///
/// The reader is told where in the file a window of bytes begins, and gives one item after another. It gives nil when the
/// window does not hold the next one whole: then it wants a window that holds `needed` bytes from `position` on, or to
/// be told that the file ends. A window over a whole mapped file never has to move. The reader does no I/O and keeps
/// nothing but the clocks and link types of the section's interfaces; a packet costs no allocation and no copy.
///
/// The first damage ends the reading: every call from then on throws the same error. What was given before holds.
///
/// Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
public struct CaptureReader: Sendable {
    /// Names the two formats.
    public enum Format: Hashable, Sendable {
        /// Is the classic format: one header, then packets.
        case pcap
        /// Is the format of blocks.
        case pcapng
    }

    /// Says which format the file has; nil until its first bytes were seen.
    public internal(set) var format: Format?
    /// Gives the offset in the file of the first byte that is still needed.
    public internal(set) var position = 0
    /// Gives how many bytes from `position` on a window must hold for the next item.
    public internal(set) var needed = 4
    /// Says in which order numbers stand; in a pcapng file until the next section.
    public internal(set) var byteOrder: ByteOrder = .host
    /// Counts the blocks of pcapng that nothing is known of, and those that say nothing here.
    public internal(set) var skippedBlocks = 0

    var interfaces: [Interface] = []
    var lengths: PcapLengths = .straight
    /// The size of the header of a packet in a pcap file in bytes.
    var recordSize = 16
    private(set) var failure: CaptureFileError?
    /// The block whose last four bytes are next, as it was skipped.
    var skipped: (start: Int, length: UInt32)?

    /// Creates a reader at the start of a file.
    public init() {}

    /// Holds what a packet needs to know of its interface.
    struct Interface {
        let linkType: LinkType
        let snapLength: UInt32
        let clock: CaptureClock
        let largestPacket: Int

        init(_ linkType: LinkType, snapLength: UInt32, clock: CaptureClock) {
            self.linkType = linkType
            self.snapLength = snapLength
            self.clock = clock
            self.largestPacket = linkType.largestPacket
        }
    }

    /// Says what one step over a block led to.
    enum Step {
        /// Found something to tell.
        case item(CaptureItem)
        /// Went on without something to tell.
        case again
        /// Needs so many bytes from the position on.
        case more(Int)
    }
}

extension CaptureReader {
    /// Reads the next item.
    ///
    /// - Parameters:
    ///   - window: Bytes of the file.
    ///   - base: The offset in the file of the window's first byte.
    /// - Returns: The item, or nil when the window does not hold it; a packet's range is one of this window.
    /// - Throws: What is wrong with the file.
    /// - Precondition: The window does not begin after `position`.
    public mutating func next(in window: RawSpan, at base: Int = 0) throws(CaptureFileError) -> CaptureItem? {
        precondition(base <= position, "a window does not begin after what is needed")
        if let failure { throw failure }
        do {
            while true {
                switch try step(in: window, base: base) {
                case .item(let item): return item
                case .again: continue
                case .more(let count):
                    needed = count
                    return nil
                }
            }
        } catch {
            failure = error
            throw error
        }
    }

    /// Says that the file ends.
    ///
    /// - Parameter end: The size of the file in bytes.
    /// - Throws: What is wrong with the file: that it is no capture, or was cut in the middle of something.
    public func finish(at end: Int) throws(CaptureFileError) {
        if let failure { throw failure }
        if let skipped {
            throw .truncated(needed: Int(skipped.length), available: end - skipped.start, at: skipped.start)
        }
        if format == nil, end == 0 { throw .notCapture([]) }
        if format == nil || position != end {
            throw .truncated(needed: needed, available: end - position, at: position)
        }
    }

    /// Reads what the file says about a packet besides its bytes; allocates where there are comments.
    ///
    /// - Parameters:
    ///   - packet: A packet that this reader gave, in this section.
    ///   - window: The window that it was given for.
    /// - Returns: Its time, length, interface and options.
    public func metadata(of packet: CapturedPacket, in window: RawSpan) -> PacketMetadata {
        var metadata = PacketMetadata(
            timestamp: packet.timestamp,
            interface: packet.interface,
            originalLength: UInt32(clamping: packet.originalLength)
        )
        let start = packet.range.lowerBound + padded(packet.range.count)
        // The reader has checked the options before it gave the packet.
        if start < packet.optionsEnd, packet.optionsEnd <= window.byteCount,
            let options = try? PacketOptions(start..<packet.optionsEnd, base: 0, byteOrder, in: window)
        {
            metadata.options = options
        }
        if metadata.options.dropCount == nil, packet.drops != .max { metadata.options.dropCount = UInt64(packet.drops) }
        return metadata
    }

    @inline(__always)
    private mutating func step(in window: RawSpan, base: Int) throws(CaptureFileError) -> Step {
        switch format {
        case .pcapng: try nextBlock(in: window, base: base)
        case .pcap: try nextRecord(in: window, base: base)
        case nil: try begin(in: window)
        }
    }

    /// Finds out the format; the window begins where the file does.
    private mutating func begin(in window: RawSpan) throws(CaptureFileError) -> Step {
        guard window.byteCount >= 4 else { return .more(4) }
        if window.number(UInt32.self, at: 0, .big) == BlockType.sectionHeader.rawValue {
            format = .pcapng
            return .again
        }
        for order in ByteOrder.allCases {
            let magic = window.number(UInt32.self, at: 0, order)
            let magics = [CaptureMagic.microseconds, CaptureMagic.nanoseconds, CaptureMagic.modified]
            guard magics.contains(magic) else { continue }
            // Source: libpcap, sf-pcap.c.
            if magic == CaptureMagic.modified { recordSize = 24 }
            return try beginPcap(in: window, order, isNanoseconds: magic == CaptureMagic.nanoseconds)
        }
        throw .notCapture(window.bytes(0..<4))
    }
}

extension LinkType {
    /// Gives the most bytes that a packet of this type may have in a file.
    ///
    /// A longer packet is taken for damage, as Wireshark does it.
    var largestPacket: Int {
        switch rawValue {
        case 231: 128 << 20  // D-Bus
        case 189, 220, 249, 266, 288, 292...295: 128 << 20  // USB
        case 279: 32 << 20  // Elektrobit bus and ethernet
        default: 262_144
        }
    }
}
