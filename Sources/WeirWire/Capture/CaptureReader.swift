/// A reader of a pcap or pcapng capture in any memory, which detects the format.
///
/// The reader receives a window of bytes with its offset in the file, and returns one item after another. It returns
/// nil if the window does not hold the whole next item: then it needs a window with `needed` bytes from `position` on,
/// or a call of `finish(at:)` at the end of the file. A window over a whole mapped file never has to move. The reader
/// does no I/O and keeps only the clocks and link types of the section's interfaces; a packet costs no allocation and
/// no copy.
///
/// The first damage ends the reading: every later call throws the same error. Items returned earlier stay valid.
///
/// Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
public struct CaptureReader: Sendable {
    /// The two capture formats.
    public enum Format: Hashable, Sendable {
        /// The classic format: one header, then packets.
        case pcap
        /// The format of blocks.
        case pcapng
    }

    /// The format of the file; nil until its first bytes were read.
    public internal(set) var format: Format?
    /// The offset in the file of the first byte that is still needed.
    public internal(set) var position = 0
    /// The number of bytes from `position` on that a window must hold for the next item.
    public internal(set) var needed = 4
    /// The byte order of numbers; in a pcapng file until the next section.
    public internal(set) var byteOrder: ByteOrder = .host
    /// The number of skipped pcapng blocks, of unknown types or with nothing of interest.
    public internal(set) var skippedBlocks = 0

    var interfaces: [Interface] = []
    var lengths: PcapLengths = .straight
    /// The size of a packet's record header in a pcap file, in bytes.
    var recordSize = 16
    private(set) var failure: CaptureFileError?
    /// The block that was skipped, except for its last four bytes, which come next.
    var skipped: (start: Int, length: UInt32)?

    /// Creates a reader at the start of a file.
    public init() {}

    /// The properties of an interface that its packets need.
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

    /// The result of one step over a block.
    enum Step {
        /// An item to return.
        case item(CaptureItem)
        /// No item; continue with the next step.
        case again
        /// The number of bytes needed from `position` on.
        case more(Int)
    }
}

extension CaptureReader {
    /// Reads the next item.
    ///
    /// - Parameters:
    ///   - window: Bytes of the file.
    ///   - base: The offset in the file of the window's first byte.
    /// - Returns: The item, or nil if the window does not hold all of it; a packet's range is one in this window.
    /// - Throws: The problem with the file.
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

    /// Checks that the file may end here.
    ///
    /// - Parameter end: The size of the file in bytes.
    /// - Throws: The problem with the file: it is no capture, or it is cut in the middle of an item.
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

    /// Returns what the file records about a packet besides its bytes; allocates if there are comments.
    ///
    /// - Parameters:
    ///   - packet: A packet that this reader returned, in this section.
    ///   - window: The window that the packet was read from.
    /// - Returns: Its time, length, interface and options.
    public func metadata(of packet: CapturedPacket, in window: RawSpan) -> PacketMetadata {
        var metadata = PacketMetadata(
            timestamp: packet.timestamp,
            interface: packet.interface,
            originalLength: UInt32(clamping: packet.originalLength)
        )
        let start = packet.range.lowerBound + padded(packet.range.count)
        // The reader checked the options before it returned the packet.
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

    /// Detects the format; the window begins at the start of the file.
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
    /// The maximum size of a packet of this type in a file, in bytes.
    ///
    /// A longer packet counts as damage, as in Wireshark.
    var largestPacket: Int {
        switch rawValue {
        case 231: 128 << 20  // D-Bus
        case 189, 220, 249, 266, 288, 292...295: 128 << 20  // USB
        case 279: 32 << 20  // Elektrobit bus and ethernet
        default: 262_144
        }
    }
}
