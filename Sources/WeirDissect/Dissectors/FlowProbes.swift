public import WeirWire

/// The search for what identifies the flows of a capture: their protocols, and the names in their first messages.
///
/// Only the first packets of each flow are read, in the order of the capture. Bytes after a segment that is missing or
/// out of order are not read.
public struct FlowProbes: Sendable {
    /// The protocol and the identifying values of a flow.
    public struct Found: Hashable, Sendable {
        /// The name of the protocol, as in its `DissectorDescription`.
        public var name: String
        /// The first value of each kind that was found.
        public var findings: [Finding: String]
        /// Whether it is the protocol of what was decrypted; if that is not known, it is the one that encrypts.
        public var isDecrypted: Bool

        /// Creates the values of a flow.
        public init(name: String, findings: [Finding: String] = [:], isDecrypted: Bool = false) {
            self.name = name
            self.findings = findings
            self.isDecrypted = isDecrypted
        }
    }

    fileprivate struct Probe: Sendable {
        var dissector: FlowDissector
        /// What the flow's bytes go through; nil if nothing is decrypted.
        var stage: (any StreamStage)?
        /// The number of messages before the decrypted ones; nil if nothing was decrypted yet.
        var messagesOutside: Int?
        var next: [UInt32?] = [nil, nil]
        /// Whether bytes of a direction were read, the client's first.
        var hasBegun = [false, false]
        var packets = 0
    }

    private var probes: [Int: Probe] = [:]
    /// For each flow whether nothing more can be found.
    @usableFromInline var isDone: [Bool] = []
    private var found: [Int: Found] = [:]
    /// The maximum number of flows that are probed at once.
    private static let limit = 1 << 16
    fileprivate static let packetLimit = 24

    /// Creates a collection that knows no flow.
    public init() {}

    /// Returns what is known of a flow; nil if its protocol was not recognised.
    public func found(_ flow: Int) -> Found? { found[flow] }

    /// Returns whether more may be found about the flows of a packet, which for nearly all packets is false.
    ///
    /// Call it before `add` to save time: passing `CaptureFlows` to a function copies it.
    @inlinable
    @inline(__always)
    public func wants(_ tcp: FlowTable.Place?, _ udp: FlowTable.Place?, _ inner: [FlowTable.Place?] = []) -> Bool {
        if let tcp, !done(tcp.index) { return true }
        if let udp, !done(udp.index) { return true }
        return inner.contains { $0.map { !done($0.index) } ?? false }
    }

    /// Reads a packet that was already added to the flows.
    public mutating func add(_ packet: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        if let place = flows.tcp, !done(place.index), let segment = flows.packet.tcp?.streamSegment {
            if place.hasTurned { probes[place.index] = nil }
            guard segment.length > 0 || segment.flags.contains(.syn) else { return }
            look(place, flows.table[place.index], flows.stages) { probe in
                let first = flows.table[place.index].firstNumber(of: place.direction)
                guard probe.follows(segment, place.direction, first) else { return }
                flows.withPayload(.tcp, of: bytes) { probe.read($0, place.direction, at: packet.timestamp) }
                if let length = flows.packet.tcp?.payload.count, length < segment.length {
                    probe.skip(segment.length - length, place.direction)
                }
            }
        }
        if let place = flows.udp, !done(place.index) {
            look(place, flows.table[place.index]) { probe in
                flows.withPayload(.udp, of: bytes) { probe.read($0, place.direction, at: packet.timestamp) }
            }
        }
        for index in flows.innerUDP.indices {
            guard let place = flows.innerUDP[index], !done(place.index) else { continue }
            look(place, flows.table[place.index]) { probe in
                flows.withInnerPayload(index, of: bytes) { probe.read($0, place.direction, at: packet.timestamp) }
            }
        }
    }

    /// Ends the search; incomplete messages count as they are.
    public mutating func finish() {
        for flow in Array(probes.keys) {
            probes[flow]?.dissector.finish { _ in }
            note(flow)
        }
        probes = [:]
    }

    @inlinable
    @inline(__always)
    func done(_ flow: Int) -> Bool { flow < isDone.count && isDone[flow] }

    private mutating func look(
        _ place: FlowTable.Place,
        _ flow: ObservedFlow,
        _ stages: (any StreamStages)? = nil,
        _ body: (inout Probe) -> Void
    ) {
        if probes[place.index] == nil {
            guard probes.count < Self.limit else { return }
            let dissector = FlowDissector(
                flow.transport,
                clientPort: flow.client.port,
                serverPort: flow.server.port,
                wantsFields: false
            )
            probes[place.index] = Probe(dissector: dissector, stage: stages?.stage(of: place.index))
        }
        guard var probe = probes.removeValue(forKey: place.index) else { return }
        body(&probe)
        let isKnown = probe.isKnown
        probes[place.index] = probe
        guard isKnown else { return }
        note(place.index)
        probes[place.index] = nil
        if place.index >= isDone.count {
            isDone += Array(repeating: false, count: max(place.index + 1 - isDone.count, isDone.count))
        }
        isDone[place.index] = true
    }

    private mutating func note(_ flow: Int) {
        guard let probe = probes[flow], let name = probe.dissector.name else { return }
        let findings = probe.dissector.findings
        found[flow] = Found(name: "\(name)", findings: findings, isDecrypted: probe.messagesOutside != nil)
    }
}

extension FlowProbes.Probe {
    /// Returns whether a segment is the next one of its direction, and moves past it.
    fileprivate mutating func follows(_ segment: StreamSegment, _ direction: Direction, _ first: UInt32?) -> Bool {
        let side = Int(direction.rawValue)
        packets += 1
        if segment.flags.contains(.syn) {
            // A SYN that does not begin the stream changes nothing.
            guard first == segment.sequenceNumber else { return false }
            next[side] = segment.sequenceNumber &+ 1 &+ UInt32(truncatingIfNeeded: segment.length)
            return segment.length > 0
        }
        let isFirst = !hasBegun[side] && first.map { $0 &+ 1 == segment.sequenceNumber } ?? false
        guard next[side] == nil || isFirst || next[side] == segment.sequenceNumber else { return false }
        next[side] = segment.sequenceNumber &+ UInt32(truncatingIfNeeded: segment.length)
        hasBegun[side] = true
        return true
    }

    fileprivate mutating func read(_ bytes: RawSpan, _ direction: Direction, at time: Int64?) {
        packets += 1
        guard stage == nil else { return pass(.bytes, bytes, bytes.byteCount, direction, at: time) }
        dissector.add(bytes, direction, at: time) { _ in }
    }

    /// Continues after bytes that were cut off.
    fileprivate mutating func skip(_ count: Int, _ direction: Direction) {
        guard stage == nil else { return pass(.cut, RawSpan(), count, direction, at: nil) }
        dissector.skip(count, direction) { _ in }
    }

    /// Passes a piece through the stage.
    private mutating func pass(
        _ content: StreamPiece.Content,
        _ bytes: RawSpan,
        _ count: Int,
        _ direction: Direction,
        at time: Int64?
    ) {
        guard var stage = stage.take() else { return }
        let piece = StreamPiece(
            flow: 0,
            direction: direction,
            offset: 0,
            count: count,
            time: time,
            content: content
        )
        stage.add(piece, bytes) { piece, bytes in
            if piece.layer == .decrypted, messagesOutside == nil { messagesOutside = dissector.messages }
            dissector.enter(piece.layer)
            if piece.content == .bytes {
                dissector.add(bytes, piece.direction, at: piece.time) { _ in }
            } else {
                dissector.skip(piece.count, piece.direction) { _ in }
            }
        }
        self.stage = stage
    }

    /// Whether enough is known, or no more can be known.
    fileprivate var isKnown: Bool {
        if packets >= 2 * FlowProbes.packetLimit || dissector.hasGivenUp { return true }
        if let messagesOutside { return dissector.messages > messagesOutside }
        return dissector.layer != .handshake && (!dissector.findings.isEmpty || dissector.messages >= 4)
    }
}
