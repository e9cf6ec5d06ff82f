public import WeirWire

/// A table of the flows of a capture, and the decoder of its packets.
///
///     var flows = CaptureFlows()
///     flows.add(captured, bytes)
///     if let place = flows.tcp { ... }
///
/// A packet costs no allocation unless it is a fragment or begins a flow.
public struct CaptureFlows: ~Copyable, Sendable {
    /// The decoder of the packets, with the fragments that wait.
    public private(set) var decoder: PacketDecoder
    /// The last packet, decoded.
    public private(set) var packet = DecodedPacket()
    /// The flows.
    public private(set) var table: FlowTable
    /// The TCP flow of the last packet; nil if there is none, or there is no room for it.
    public private(set) var tcp: FlowTable.Place?
    /// The UDP flow of the last packet, of a tunnel the outermost; a packet in a tunnel can have a TCP flow, too.
    public private(set) var udp: FlowTable.Place?
    /// The flows of `packet.innerUDP`, in the same order; nil if there is no room for one.
    public private(set) var innerUDP: [FlowTable.Place?] = []
    /// The source of what the streams of TCP flows go through before they are read; nil for nothing.
    public var stages: (any StreamStages)?
    /// The number of packets.
    public private(set) var packets = 0
    /// The number of their bytes on the wire.
    public private(set) var bytes = 0
    /// The number of packets without a flow: other protocols, fragments, and packets that were not understood.
    public private(set) var packetsOfNoFlow = 0
    /// The number of bytes on the wire of the packets without a flow.
    public private(set) var bytesOfNoFlow = 0

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of flows.
    ///   - fragments: The limits for fragments of incomplete datagrams.
    ///   - seed: The seed of the table's hash, so that the author of a capture cannot predict the table's order in
    ///     memory.
    public init(
        limit: Int = FlowTable.defaultLimit,
        fragments: FragmentReassembler.Limits = .init(),
        seed: UInt64 = 0
    ) {
        decoder = PacketDecoder(limits: fragments)
        table = FlowTable(limit: limit, seed: seed)
    }

    /// Adds the next packet.
    ///
    /// - Parameters:
    ///   - captured: Its time, lengths and link type; its range is not used.
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
            let (payload, time) = (datagram.payloadLength, captured.timestamp)
            udp = table.add(datagram.tuple, nil, length: length, payload: payload, at: time)
            for inner in packet.innerUDP {
                let payload = inner.payloadLength
                innerUDP.append(table.add(inner.tuple, nil, length: length, payload: payload, at: time))
            }
        } else if packet.tcp == nil {
            packetsOfNoFlow &+= 1
            bytesOfNoFlow &+= length
        }
    }

    /// Lends the captured payload of the last packet's TCP segment or UDP datagram.
    ///
    /// - Parameters:
    ///   - transport: The transport whose payload is wanted.
    ///   - bytes: The packet's captured bytes, as they were passed to `add`.
    ///   - body: Reads the payload; no bytes if there is none.
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

    /// Lends the captured payload of one of the last packet's UDP datagrams that are within another one.
    ///
    /// - Parameters:
    ///   - index: Its place in `packet.innerUDP`.
    ///   - bytes: The packet's captured bytes, as they were passed to `add`.
    ///   - body: Reads the payload.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: `index` is an index of `packet.innerUDP`.
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

    /// The innermost flow of the last packet: TCP, or the UDP datagram that is not a tunnel; nil if it has none.
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

    /// Returns whether one of the last packet's flows is wanted, by a closure that gets the flow's place in the table.
    public func hasFlow(_ isWanted: (Int) -> Bool) -> Bool {
        if let tcp, isWanted(tcp.index) { return true }
        if let udp, isWanted(udp.index) { return true }
        return innerUDP.contains { $0.map { isWanted($0.index) } ?? false }
    }
}

extension TCPSegment {
    /// The fields for reassembly and the flow table; nil if the header's length is under 20 bytes, and so invalid.
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
