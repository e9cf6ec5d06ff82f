import WeirSinks
public import WeirWire

/// A renderer of the packets of a live capture for a file.
///
/// A packet costs no allocation. The output is always whole blocks.
public struct PacketBlocks: ~Copyable, Sendable {
    private let description: CaptureDescription
    private var pcapng = PcapngWriter()
    private let pcap: PcapWriter
    private var gathered: ByteBuffer
    private var metadata = PacketMetadata(timestamp: 0)

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - description: The contents of the file's head.
    ///   - capacity: The expected number of bytes between two releases.
    public init(_ description: CaptureDescription, capacity: Int = 512 << 10) {
        self.description = description
        pcap = PcapWriter(
            PcapHeader(
                linkType: description.linkType,
                isNanoseconds: description.isNanoseconds,
                snapLength: UInt32(clamping: description.snapLength)
            )
        )
        gathered = ByteBuffer(capacity: capacity)
    }

    /// The number of bytes collected.
    public var count: Int { gathered.count }

    /// Appends a packet, with a comment and the number of the process that sent it, if they are known; pcap has no place
    /// for them.
    public mutating func append(
        _ packet: LivePacket,
        _ bytes: RawSpan,
        saying comment: String? = nil,
        process: Int32? = nil
    ) {
        metadata.timestamp = packet.timestamp
        metadata.originalLength = packet.originalLength
        guard description.format == .pcapng else { return pcap.append(metadata, bytes, to: &gathered) }
        metadata.options.process = process.map { PacketProcess($0) }
        guard let comment else { return pcapng.append(metadata, bytes, to: &gathered) }
        metadata.options.comments = [comment]
        pcapng.append(metadata, bytes, to: &gathered)
        metadata.options.comments = []
    }

    /// Appends the secrets that decrypt later packets, in lines of the NSS Key Log Format; pcap has no place for them.
    public mutating func append(secrets lines: [UInt8]) {
        guard description.format == .pcapng, !lines.isEmpty else { return }
        pcapng.append(CaptureSecrets(format: .tls, bytes: lines), to: &gathered)
    }

    /// Passes on the collected blocks.
    ///
    /// - Parameter body: Takes the blocks out of the buffer; what it leaves is discarded.
    /// - Throws: What `body` throws.
    public mutating func release<Failure: Error>(
        _ body: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&gathered)
        gathered.removeAll()
    }
}

// The head and the end of a file
extension PacketBlocks {
    /// Appends the head of a file.
    public mutating func begin(to output: inout ByteBuffer) {
        guard description.format == .pcapng else { return pcap.appendHeader(to: &output) }
        var section = CaptureSection()
        section.application = description.application
        section.operatingSystem = description.operatingSystem
        section.comments = description.comments
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
    }

    /// Appends the end of a file: the kernel's counts since the capture began.
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
