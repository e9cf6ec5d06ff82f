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
    /// Says to which UDP flow the last packet belongs; with a tunnel over UDP it can be one of TCP, too.
    public private(set) var udp: FlowTable.Place?
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
        if let segment = packet.tcp {
            tcp = table.add(segment.tuple, segment.streamSegment, length: length, at: captured.timestamp)
        }
        if let datagram = packet.udp {
            udp = table.add(datagram.tuple, nil, length: length, at: captured.timestamp)
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
        guard isReassembled else { return try body(bytes.extracting(range)) }
        return try decoder.withReassembledBytes { bytes throws(Failure) in try body(bytes.extracting(range)) }
    }
}

extension TCPSegment {
    /// Gives what reassembly and the flow table need.
    public var streamSegment: StreamSegment {
        StreamSegment(
            sequenceNumber: sequenceNumber,
            acknowledgmentNumber: acknowledgmentNumber,
            flags: flags,
            length: min(payloadLength, 1 << 31)
        )
    }
}
