public import WeirWire

/// A reader of the messages of all flows of a capture, in the order in which they are completed.
///
///     var dissector = CaptureDissector()
///     flows.add(captured, bytes)
///     dissector.add(captured, bytes, in: flows) { flow, message in ... }
///     dissector.finish { flow, message in ... }
///
/// TCP streams are reassembled first. The number of flows read at once is limited; for a further flow, the oldest one
/// is ended with the messages read from it so far.
public struct CaptureDissector: ~Copyable, Sendable {
    private var reassembler: TCPReassembler
    private var dissected: DissectedFlows
    private let readsDecrypted: Bool

    /// A closure that receives a message, lent for the call, and the place of its flow in the table.
    public typealias Receiver = (Int, Message) -> Void

    /// Creates a dissector that knows no flow yet.
    ///
    /// - Parameters:
    ///   - wantsFields: Whether messages get all their fields.
    ///   - settings: The settings of the reassembly.
    ///   - limit: The maximum number of flows that are read at once.
    ///   - readsDecrypted: Whether what the stages of the flows decrypt is read, in place of the captured bytes.
    public init(
        wantsFields: Bool = true,
        _ settings: ReassemblySettings = ReassemblySettings(),
        limit: Int = 1 << 16,
        readsDecrypted: Bool = true
    ) {
        self.readsDecrypted = readsDecrypted
        reassembler = TCPReassembler(settings)
        dissected = DissectedFlows(wantsFields: wantsFields, limit: limit)
    }

    /// Names the ports of both legs of a flow that Weir recorded, before its first packet is added: they count instead of
    /// those of its packets, and its messages get digests.
    public mutating func begin(leg flow: Int, listener: UInt16, server: UInt16) {
        dissected.begin(leg: flow, listener: listener, server: server)
    }

    /// Reads a packet that was already added to the flows.
    ///
    /// - Parameters:
    ///   - packet: Its time and lengths.
    ///   - bytes: Its captured bytes.
    ///   - flows: The flows up to and with the packet, and the decoded packet.
    ///   - receiver: Receives the messages that the packet completes.
    public mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to receiver: Receiver
    ) {
        if let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment {
            if place.hasTurned {
                reassembler.turn(flow: place.index)
                dissected.turn(place.index)
            }
            if segment.length > 0 || !segment.flags.isDisjoint(with: [.syn, .fin, .rst]) || dissected.has(place.index) {
                dissected.begin(place.index, flows.table, receiver)
                let stages = readsDecrypted ? flows.stages : nil
                flows.withPayload(.tcp, of: bytes) { payload in
                    Self.add(segment, payload, place, at: packet.timestamp, stages, &reassembler, &dissected, receiver)
                }
                if segment.flags.contains(.fin), reassembler.isAtEnd(flow: place.index, place.direction) {
                    dissected.end(place, receiver)
                }
            }
        }
        if let place = flows.udp, let length = flows.packet.udp?.payloadLength, length > 0 {
            if place.hasTurned { dissected.turn(place.index) }
            dissected.begin(place.index, flows.table, receiver)
            flows.withPayload(.udp, of: bytes) { payload in
                dissected.add(payload, place.index, place.direction, at: packet.timestamp, receiver)
            }
        }
        for index in flows.innerUDP.indices {
            guard let place = flows.innerUDP[index], flows.packet.innerUDP[index].payloadLength > 0 else { continue }
            dissected.begin(place.index, flows.table, receiver)
            flows.withInnerPayload(index, of: bytes) { payload in
                dissected.add(payload, place.index, place.direction, at: packet.timestamp, receiver)
            }
        }
    }

    /// Lends the incomplete message of one direction of a flow, with the fields read so far.
    ///
    /// - Parameters:
    ///   - flow: The flow's place in the table.
    ///   - direction: The direction of the message.
    ///   - receiver: Receives the message, if there is one.
    public func unfinished(_ flow: Int, _ direction: Direction, to receiver: Receiver) {
        dissected.unfinished(flow, direction, receiver)
    }

    /// Returns the offset of the last packet's payload in its stream, if called before `add`; 0 for a datagram.
    public func streamOffset(in flows: borrowing CaptureFlows) -> Int {
        guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { return 0 }
        // The reassembler has not yet turned its directions.
        let direction = place.hasTurned ? place.direction.opposite : place.direction
        return reassembler.offset(of: segment, flow: place.index, direction)
    }

    /// Returns the remaining messages of all flows at the end of the capture.
    public mutating func finish(to receiver: Receiver) {
        Self.finish(&reassembler, &dissected, receiver)
    }

    private static func add(
        _ segment: StreamSegment,
        _ payload: RawSpan,
        _ place: FlowTable.Place,
        at time: Int64?,
        _ stages: (any StreamStages)?,
        _ reassembler: inout TCPReassembler,
        _ dissected: inout DissectedFlows,
        _ receiver: Receiver
    ) {
        let (flow, direction) = (place.index, place.direction)
        reassembler.add(segment, payload, flow: flow, direction, at: time, through: stages) { piece, bytes in
            dissected.add(piece, bytes, receiver)
        }
    }

    private static func finish(
        _ reassembler: inout TCPReassembler,
        _ dissected: inout DissectedFlows,
        _ receiver: Receiver
    ) {
        reassembler.finish { piece, bytes in dissected.add(piece, bytes, receiver) }
        dissected.finish(receiver)
    }
}

/// The dissectors of flows, by the flows' places in a table.
struct DissectedFlows: Sendable {
    private var slots: [Int32] = []
    private var states: [FlowDissector] = []
    private var owners: [Int] = []
    private var oldest = 0
    /// The ports of the recorded flows that have not begun yet, and the digests of those that have.
    private var ports: [Int: (UInt16, UInt16)] = [:]
    private var digests: [Int: LegDigests] = [:]
    private let wantsFields: Bool
    private let limit: Int

    init(wantsFields: Bool, limit: Int) {
        self.wantsFields = wantsFields
        self.limit = max(limit, 1)
    }

    func has(_ flow: Int) -> Bool { flow < slots.count && slots[flow] >= 0 }

    mutating func begin(leg flow: Int, listener: UInt16, server: UInt16) {
        ports[flow] = (listener, server)
        digests[flow] = LegDigests()
    }

    /// Creates the state of a flow, if it has none.
    mutating func begin(_ flow: Int, _ table: borrowing FlowTable, _ receiver: CaptureDissector.Receiver) {
        guard !has(flow) else { return }
        if flow >= slots.count { slots += Array(repeating: -1, count: max(flow + 1 - slots.count, slots.count)) }
        let observed = table[flow]
        let known = ports.isEmpty ? nil : ports.removeValue(forKey: flow)
        let state = FlowDissector(
            observed.transport,
            clientPort: known?.0 ?? observed.client.port,
            serverPort: known?.1 ?? observed.server.port,
            wantsFields: wantsFields
        )
        guard states.count == limit else {
            slots[flow] = Int32(truncatingIfNeeded: states.count)
            states.append(state)
            owners.append(flow)
            return
        }
        let place = oldest
        oldest = (oldest + 1) % limit
        finish(place, receiver)
        slots[owners[place]] = -1
        digests[owners[place]] = nil
        slots[flow] = Int32(truncatingIfNeeded: place)
        states[place] = state
        owners[place] = flow
    }

    mutating func add(
        _ bytes: RawSpan,
        _ flow: Int,
        _ direction: Direction,
        at time: Int64?,
        _ receiver: CaptureDissector.Receiver
    ) {
        guard has(flow) else { return }
        guard digests.isEmpty || digests[flow] == nil else { return addLeg(bytes, flow, direction, at: time, receiver) }
        states[Int(slots[flow])].add(bytes, direction, at: time) { receiver(flow, $0) }
    }

    /// Reads bytes of a recorded flow, whose messages get digests.
    private mutating func addLeg(
        _ bytes: RawSpan,
        _ flow: Int,
        _ direction: Direction,
        at time: Int64?,
        _ receiver: CaptureDissector.Receiver
    ) {
        let slot = Int(slots[flow])
        let isStream = states[slot].isStream
        var digest = digests[flow]?[direction] ?? LegDigests.Side()
        let start = digest.count
        digest.count &+= bytes.byteCount
        states[slot].add(bytes, direction, at: time) { message in
            // One of the other direction waited for these bytes.
            guard message.direction == direction else { return receiver(flow, message) }
            var message = message
            message.digest =
                isStream
                ? digest.stream.hash(of: message.range, endingIn: bytes, at: start)
                : StreamDigest.hash(of: message.range, in: bytes)
            receiver(flow, message)
        }
        if isStream { _ = digest.stream.advance(to: digest.count, in: bytes, at: start) }
        digests[flow]?[direction] = digest
    }

    mutating func add(_ piece: StreamPiece, _ bytes: RawSpan, _ receiver: CaptureDissector.Receiver) {
        let flow = piece.flow
        guard has(flow) else { return }
        states[Int(slots[flow])].enter(piece.layer)
        if piece.content == .bytes {
            add(bytes, flow, piece.direction, at: piece.time, receiver)
        } else {
            if !digests.isEmpty { digests[flow]?[piece.direction].skip(piece.count) }
            states[Int(slots[flow])].skip(piece.count, piece.direction) { receiver(flow, $0) }
        }
    }

    func unfinished(_ flow: Int, _ direction: Direction, _ receiver: CaptureDissector.Receiver) {
        if has(flow) { states[Int(slots[flow])].unfinished(direction) { receiver(flow, $0) } }
    }

    mutating func turn(_ flow: Int) {
        if has(flow) { states[Int(slots[flow])].turn() }
        digests[flow]?.turn()
    }

    /// Ends a direction after its FIN, once everything before it was read.
    mutating func end(_ place: FlowTable.Place, _ receiver: CaptureDissector.Receiver) {
        guard has(place.index) else { return }
        states[Int(slots[place.index])].finish(place.direction) { receiver(place.index, $0) }
    }

    mutating func finish(_ receiver: CaptureDissector.Receiver) {
        for place in states.indices { finish((oldest + place) % states.count, receiver) }
    }

    private mutating func finish(_ place: Int, _ receiver: CaptureDissector.Receiver) {
        let flow = owners[place]
        states[place].finish { receiver(flow, $0) }
    }
}

/// The digests of both directions of a leg.
private struct LegDigests: Sendable {
    struct Side: Sendable {
        var stream = StreamDigest()
        /// The number of bytes of the stream so far.
        var count = 0

        mutating func skip(_ missing: Int) {
            count &+= missing
            stream.skip(missing)
        }
    }

    private var up = Side()
    private var down = Side()

    subscript(direction: Direction) -> Side {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    mutating func turn() { swap(&up, &down) }
}
