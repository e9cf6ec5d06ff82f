import WeirFlow
public import WeirWire

/// Renders the packets of a live capture for a file, and keeps those that may belong to a flow not known yet.
///
/// Nothing is allocated for a packet. What is handed on is always whole blocks.
public struct PacketBlocks: ~Copyable, Sendable {
    /// Bounds the bytes that wait for flows to be known.
    private static let largestWait = 4 << 20
    /// Is the size of an Enhanced Packet Block before its packet, in bytes.
    private static let blockHead = 28

    private let description: CaptureDescription
    private let feed: FlowFeed?
    private var notes = FlowNotes()
    private var pcapng = PcapngWriter()
    private let pcap: PcapWriter
    private var gathered: ByteBuffer
    /// Counts the bytes that were handed on.
    private var handedOn = 0
    private var metadata = PacketMetadata(timestamp: 0)

    /// Makes a renderer.
    ///
    /// - Parameters:
    ///   - description: what the head of a file is to say.
    ///   - feed: tells of the flows that packets belong to; nil where there are none, and for pcap, which has no comments.
    ///   - capacity: how many bytes are expected to be gathered.
    public init(_ description: CaptureDescription, feed: FlowFeed? = nil, capacity: Int = 512 << 10) {
        self.description = description
        self.feed = description.format == .pcapng ? feed : nil
        pcap = PcapWriter(
            PcapHeader(
                linkType: description.linkType,
                isNanoseconds: description.isNanoseconds,
                snapLength: UInt32(clamping: description.snapLength)
            )
        )
        gathered = ByteBuffer(capacity: capacity)
    }

    /// Counts the bytes that are gathered.
    public var count: Int { gathered.count }

    /// Says when the last packet of a known flow came, after `watch`, in nanoseconds since 1970 UTC.
    public var lastSign: Int64 { notes.lastSign }

    /// Notes from now on when packets of known flows come.
    public mutating func watch(at time: Int64) { notes.watch(at: time) }

    /// Appends a packet.
    public mutating func append(_ packet: LivePacket, _ bytes: RawSpan) {
        metadata.timestamp = packet.timestamp
        metadata.originalLength = packet.originalLength
        guard description.format == .pcapng else { return pcap.append(metadata, bytes, to: &gathered) }
        let place = handedOn &+ gathered.count
        if feed != nil, let text = notes.note(packet, bytes, description.linkType, at: place) {
            metadata.options.comments = [text]
            pcapng.append(metadata, bytes, to: &gathered)
            metadata.options.comments = []
        } else {
            pcapng.append(metadata, bytes, to: &gathered)
        }
    }

    /// Hands on what is ready: all packets, but for those that wait for their flow, and those behind them.
    ///
    /// - Parameters:
    ///   - time: now, in nanoseconds since 1970 UTC.
    ///   - isLast: whether nothing is to wait any more.
    ///   - body: takes the blocks out of the buffer; what it leaves is lost.
    /// - Throws: What `body` throws.
    public mutating func release<Failure: Error>(
        at time: Int64,
        isLast: Bool = false,
        _ body: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        guard let feed else { return try releaseAll(body) }
        notes.learn(feed.take())
        if isLast || gathered.count > Self.largestWait { notes.giveUp() }
        let end = notes.settle(at: time) ?? handedOn &+ gathered.count
        let answers = notes.takeAnswers(before: end)
        guard !answers.isEmpty || end < handedOn &+ gathered.count else { return try releaseAll(body) }
        var ready = ByteBuffer(capacity: end &- handedOn &+ 256 &* answers.count)
        for (mark, text) in answers { copy(upTo: mark, saying: text, to: &ready) }
        moveGathered(upTo: end, to: &ready)
        try body(&ready)
    }

    private mutating func releaseAll<Failure: Error>(
        _ body: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        handedOn &+= gathered.count
        try body(&gathered)
        gathered.removeAll()
    }

    private mutating func moveGathered(upTo end: Int, to output: inout ByteBuffer) {
        let count = end &- handedOn
        gathered.withUnsafeBytes { output.append(UnsafeRawBufferPointer(rebasing: $0[..<count]).bytes) }
        gathered.removeFirst(count)
        handedOn &+= count
    }

    /// Moves the blocks before a packet, then the packet with a comment.
    private mutating func copy(upTo mark: FlowNotes.Mark, saying text: String, to output: inout ByteBuffer) {
        moveGathered(upTo: mark.place, to: &output)
        var metadata = PacketMetadata(timestamp: mark.packet.timestamp, originalLength: mark.packet.originalLength)
        metadata.options.comments = [text]
        let size = Self.blockHead &+ (mark.capturedLength &+ 3) & ~3 &+ 4
        let packet = Self.blockHead..<(Self.blockHead &+ mark.capturedLength)
        gathered.withUnsafeBytes { pcapng.append(metadata, $0.bytes.extracting(packet), to: &output) }
        gathered.removeFirst(size)
        handedOn &+= size
    }
}

// What stands around the packets of a file
extension PacketBlocks {
    /// Appends the head of a file.
    public mutating func begin(to output: inout ByteBuffer) {
        guard description.format == .pcapng else { return pcap.appendHeader(to: &output) }
        var section = CaptureSection()
        section.application = description.application
        section.operatingSystem = description.operatingSystem
        pcapng.append(section, to: &output)
        var interface = CaptureInterface(
            linkType: description.linkType,
            snapLength: UInt32(clamping: description.snapLength),
            name: description.interface
        )
        interface.resolution = description.isNanoseconds ? .nanoseconds : .microseconds
        if !description.filter.isEmpty { interface.setFilter(description.filter) }
        interface.operatingSystem = description.operatingSystem
        pcapng.append(interface, to: &output)
        notes.beginFile()
    }

    /// Appends the end of a file: what the kernel has counted since the capture began.
    public func finish(_ progress: CaptureProgress, to output: inout ByteBuffer) {
        guard description.format == .pcapng else { return }
        var statistics = CaptureStatistics(interface: 0, timestamp: progress.now)
        statistics.start = progress.began
        statistics.end = progress.now
        statistics.received = progress.counters.received
        statistics.droppedByInterface = progress.counters.droppedByInterface
        statistics.droppedBySystem = progress.counters.dropped
        statistics.delivered = progress.packets
        pcapng.append(statistics, to: &output)
    }
}
