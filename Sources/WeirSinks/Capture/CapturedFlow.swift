import WeirEngine
import WeirWire

/// One flow in a capture: a writer of its records as packets on both legs.
///
/// This type decides which side sends what, and when; `CapturedLeg` decides the sequence numbers. `CapturedFlow+Ends`
/// begins and ends connections; `CapturedFlow+Wire` writes what was on the wire.
struct CapturedFlow: Sendable {
    let transport: Transport
    /// Whether the flow ends at the listener, which sends back what arrives.
    private(set) var isEcho: Bool
    /// Whether the packets are what was on the wire, and not the flow's chunks.
    let isWire: Bool
    private let process: ClientProcess?
    private var client: CapturedLeg
    /// Whether there is a client's leg: a dial can have failed before its client was connected.
    private let hasClient: Bool
    /// The leg to the server; nil until a dial has an egress.
    private var server: CapturedLeg?
    private var up = Progress()
    private var down = Progress()

    /// The numbers of bytes of one direction on the leg of its source and on the leg of its receiver.
    ///
    /// The two differ while a toxic holds chunks, and after it changes them.
    struct Progress {
        var received = UInt64(0)
        var forwarded = UInt64(0)
        /// Whether the source has ended.
        var isEnding = false
        /// Whether toxics are, or were, on the direction: then a record of its own reports when its end goes on.
        var isTampered = false
        /// Whether the receiver got the end.
        var isPassed = false
    }

    /// Creates the state of a flow from its first record, with the client's process.
    init(_ record: FlowRecord, _ process: ClientProcess? = nil) {
        self.process = process
        transport = record.transport
        isEcho = record.path.server == nil
        isWire = if case .wire = record.happening { true } else { false }
        hasClient = record.hasClientPort
        client = CapturedLeg(.client, record.path.client, record.path.listener, of: record, process)
        server = CapturedLeg(serverLegOf: record, process)
    }

    subscript(direction: Direction) -> Progress {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    /// Returns the leg from which a direction's bytes come.
    func source(of direction: Direction) -> FlowLeg { direction == .upstream || isEcho ? .client : .server }

    /// Lets a leg write, if it exists.
    mutating func on(_ leg: FlowLeg, _ body: (inout CapturedLeg) -> Void) {
        if leg == .server { server?.apply(body) } else if hasClient { body(&client) }
    }

    /// Takes a new server leg if the record's dial differs from the last one; returns whether it does.
    mutating func takeServerLeg(of record: FlowRecord) -> Bool {
        guard let leg = CapturedLeg(serverLegOf: record, process), !leg.hasSameEnds(as: server) else { return false }
        server = leg
        isEcho = false
        return true
    }

    /// Adds a comment to the next packet of a leg, or of the client's leg if that one does not exist.
    mutating func note(_ text: String, on leg: FlowLeg) {
        on(server == nil ? .client : hasClient ? leg : .server) { $0.note(text) }
    }

    /// Whether a dial connected a socket to itself.
    var isSelfConnected: Bool { server?.isSelfConnected ?? false }

    /// Returns how many bytes of a chunk fit one packet: the same on both legs, so that their packets are pairs.
    func largestPayload(inPackets size: Int) -> Int {
        guard transport == .tcp else { return .max }
        let legs = [client.initiator.address, server?.initiator.address ?? client.initiator.address]
        return size - max(Frame.headersSize(legs[0]), Frame.headersSize(legs[1]))
    }
}

// Bytes
extension CapturedFlow {
    /// Writes a chunk that arrived, and is held, on the leg of its source.
    mutating func receive(
        _ chunk: ChunkRecord,
        _ bytes: RawSpan,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let first = frames.cut(bytes, largestPayload(inPackets: frames.settings.largestPacket))
        let gap = chunk.gap(behind: self[chunk.direction].received, holding: bytes)
        write(
            bytes,
            source(of: chunk.direction),
            chunk,
            chunk.direction,
            first,
            skipping: gap,
            at: time,
            &frames,
            &output
        )
        self[chunk.direction].received = chunk.end
    }

    /// Writes a chunk that went on: on the leg of its receiver, and, if it was not written on arrival, on the leg of
    /// its source.
    mutating func forward(
        _ chunk: ChunkRecord,
        _ bytes: RawSpan,
        received: Int64,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let direction = chunk.direction
        let progress = self[direction]
        var number = frames.cut(bytes, largestPayload(inPackets: frames.settings.largestPacket))
        let gap = chunk.gap(behind: progress.forwarded, holding: bytes)
        if !chunk.isTampered {
            write(bytes, source(of: direction), chunk, direction, number, skipping: gap, at: received, &frames, &output)
            self[direction].received = progress.received &+ gap &+ UInt64(bytes.byteCount)
        }
        // The packet that an echo server sends back is another one than the one that came: it has its own number.
        if isEcho { number = frames.takeNumbers(frames.pieces.count) }
        let target: FlowLeg = isEcho || direction == .downstream ? .client : .server
        let way = isEcho ? .downstream : direction
        write(bytes, target, chunk, way, number, skipping: gap, at: time, &frames, &output)
        self[direction].forwarded = chunk.end
    }

    private mutating func write(
        _ bytes: RawSpan,
        _ leg: FlowLeg,
        _ chunk: ChunkRecord,
        _ direction: Direction,
        _ first: UInt64,
        skipping gap: UInt64,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let isStream = transport == .tcp
        on(leg) { leg in
            if isStream {
                leg.write(bytes, direction, first, skipping: gap, at: time, &frames, &output)
            } else {
                // The client knows only the listener.
                let peer = leg.leg == .server ? chunk.peer : nil
                leg.sendDatagram(bytes, direction, with: peer, first, at: time, &frames, &output)
            }
        }
    }

    /// Notes what a toxic did to the flow.
    mutating func note(_ toxic: ToxicRecord) {
        self[toxic.direction].isTampered = true
        if isEcho { self[.downstream].isTampered = true }
        let name = ToxicRecord.quoted(toxic.name)
        switch toxic.effect {
        case .met(true), .changed(true):
            note("toxic \(name) acts \(toxic.direction)", on: source(of: toxic.direction))
        case .met(false), .changed(false): break
        case .removed: note("toxic \(name) was removed", on: source(of: toxic.direction))
        case .closed:
            // The relay sends both ends itself.
            (up.isTampered, down.isTampered) = (true, true)
            note("toxic \(name) ends the flow", on: .client)
        case .reset: note("toxic \(name) resets both sides", on: .client)
        }
    }

    /// Notes bytes or datagrams that did not reach the leg of their receiver.
    mutating func note(_ drop: DropRecord) {
        var size: [String] = []
        if drop.datagrams > 0 { size.append("\(drop.datagrams) datagram\(drop.datagrams == 1 ? "" : "s")") }
        if drop.bytes > 0 || drop.datagrams == 0 { size.append("\(drop.bytes) byte\(drop.bytes == 1 ? "" : "s")") }
        let text = "\(size.joined(separator: ", ")) \(drop.direction) did not reach the receiver: \(drop.reason)"
        note(text, on: drop.direction == .upstream ? .server : .client)
    }
}

extension CapturedLeg {
    /// Creates the server leg of a record; nil if its dial has no egress.
    fileprivate init?(serverLegOf record: FlowRecord, _ process: ClientProcess?) {
        guard let egress = record.path.egress, let server = record.path.server else { return nil }
        self.init(.server, egress, server, of: record, process)
    }
}

extension ChunkRecord {
    /// The offset of the chunk's end in its direction.
    fileprivate var end: UInt64 { offset &+ UInt64(length) }

    /// Returns the number of bytes missing between the last ones written and the given ones, which end the chunk.
    fileprivate func gap(behind written: UInt64, holding bytes: RawSpan) -> UInt64 {
        let start = end &- UInt64(bytes.byteCount)
        return start > written ? start &- written : 0
    }
}
