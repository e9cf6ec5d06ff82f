/// Decodes the packets of a capture one after another, and counts them into flows.
///
///     var flows = CaptureFlows()
///     flows.add(captured, bytes)
///     if let place = flows.tcp { ... }
///
/// A packet costs no allocation unless it is a fragment or begins a flow.
public struct CaptureFlows: ~Copyable, Sendable {
    /// Decodes the packets, and holds the fragments that wait.
    public private(set) var decoder: PacketDecoder
    /// Holds the last packet.
    public private(set) var packet = DecodedPacket()
    /// Holds the flows.
    public private(set) var table: FlowTable
    /// Says to which TCP flow the last packet belongs; nil when to none, or when there is no place for it.
    public private(set) var tcp: FlowTable.Place?
    /// Says to which UDP flow the last packet belongs, the tunnel's with one over UDP; then it can be one of TCP, too.
    public private(set) var udp: FlowTable.Place?
    /// The flows of `packet.innerUDP`, in the same order; nil where there is no place for one.
    public private(set) var innerUDP: [FlowTable.Place?] = []
    /// Counts packets.
    public private(set) var packets = 0
    /// Counts their bytes, with their original lengths.
    public private(set) var bytes = 0
    /// Counts packets that are of no flow: of other protocols, fragments, and what was not understood.
    public private(set) var packetsOfNoFlow = 0
    /// Counts the bytes of those.
    public private(set) var bytesOfNoFlow = 0

    /// Creates what is known of no packet.
    ///
    /// - Parameters:
    ///   - limit: The most flows that are kept.
    ///   - fragments: How much may wait for missing fragments.
    ///   - seed: Makes the table's order in memory one that the maker of a capture cannot foresee.
    public init(
        limit: Int = FlowTable.defaultLimit,
        fragments: FragmentReassembler.Limits = .init(),
        seed: UInt64 = 0
    ) {
        decoder = PacketDecoder(limits: fragments)
        table = FlowTable(limit: limit, seed: seed)
    }

    /// Takes the next packet.
    ///
    /// - Parameters:
    ///   - captured: Its time, lengths and link type; where its bytes are does not count.
    ///   - bytes: Its captured bytes.
    public mutating func add(_ captured: CapturedPacket, _ bytes: RawSpan) {
        let length = captured.originalLength
        decoder.decode(bytes, linkType: captured.linkType, originalLength: length, into: &packet)
        packets &+= 1
        self.bytes &+= length
        tcp = nil
        udp = nil
        if !innerUDP.isEmpty { innerUDP.removeAll(keepingCapacity: true) }
        if let segment = packet.tcp {
            tcp = table.add(segment.tuple, segment.streamSegment, length: length, at: captured.timestamp)
        }
        if let datagram = packet.udp {
            udp = table.add(datagram.tuple, nil, length: length, at: captured.timestamp)
            for inner in packet.innerUDP {
                innerUDP.append(table.add(inner.tuple, nil, length: length, at: captured.timestamp))
            }
        } else if packet.tcp == nil {
            packetsOfNoFlow &+= 1
            bytesOfNoFlow &+= length
        }
    }

    /// Lends the captured payload of the last packet's TCP segment or UDP datagram.
    ///
    /// - Parameters:
    ///   - transport: Which of the two.
    ///   - bytes: The packet's captured bytes, as `add` got them.
    ///   - body: Reads the payload; no bytes where there is none.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withPayload<Result: ~Copyable, Failure: Error>(
        _ transport: Transport,
        of bytes: RawSpan,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (range, isReassembled) =
            transport == .tcp
            ? (packet.tcp?.payload ?? 0..<0, packet.tcp?.isReassembled ?? false)
            : (packet.udp?.payload ?? 0..<0, packet.udp?.isReassembled ?? false)
        return try withBytes(range, isReassembled, of: bytes, body)
    }

    /// Lends the captured payload of a UDP datagram of the last packet that is within another one.
    ///
    /// - Parameters:
    ///   - index: Its place in `packet.innerUDP`.
    ///   - bytes: The packet's captured bytes, as `add` got them.
    ///   - body: Reads the payload.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: `packet.innerUDP` has the place.
    public func withInnerPayload<Result: ~Copyable, Failure: Error>(
        _ index: Int,
        of bytes: RawSpan,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withBytes(packet.innerUDP[index].payload, packet.innerUDP[index].isReassembled, of: bytes, body)
    }

    private func withBytes<Result: ~Copyable, Failure: Error>(
        _ range: Range<Int>,
        _ isReassembled: Bool,
        of bytes: RawSpan,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard isReassembled else { return try body(bytes.extracting(range)) }
        return try decoder.withReassembledBytes { bytes throws(Failure) in try body(bytes.extracting(range)) }
    }

    /// The innermost flow of the last packet: that of TCP, or of the datagram that is in no tunnel's; nil if it has none.
    public var innermost: FlowTable.Place? {
        if let tcp { return tcp }
        if let last = innerUDP.last, let last { return last }
        return udp
    }

    /// Whether the last packet is the first of one of its flows.
    ///
    /// Inlined for the sake of readers that ask for each packet: whoever lends `CaptureFlows` to a function has it copied.
    @inlinable
    @inline(__always)
    public var hasNewFlow: Bool {
        if tcp?.isNew == true || udp?.isNew == true { return true }
        return innerUDP.contains { $0?.isNew == true }
    }

    /// Returns whether one of the flows of the last packet is wanted; each is asked for by its place in the table.
    public func hasFlow(_ isWanted: (Int) -> Bool) -> Bool {
        if let tcp, isWanted(tcp.index) { return true }
        if let udp, isWanted(udp.index) { return true }
        return innerUDP.contains { $0.map { isWanted($0.index) } ?? false }
    }
}

extension TCPSegment {
    /// What reassembly and the flow table need; nil if the header's length is under 20 bytes, so that it is none.
    public var streamSegment: StreamSegment? {
        guard hasHeader else { return nil }
        return StreamSegment(
            sequenceNumber: sequenceNumber,
            acknowledgmentNumber: acknowledgmentNumber,
            flags: flags,
            length: min(payloadLength, 1 << 31)
        )
    }
}
