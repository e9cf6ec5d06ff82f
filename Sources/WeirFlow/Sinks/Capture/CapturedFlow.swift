import WeirWire

/// Follows one flow, and writes what its records say as packets on both legs.
///
/// This type knows who says what when; `CapturedLeg` knows the numbers with which it is said. `CapturedFlow+Ends`
/// begins and ends connections.
struct CapturedFlow: Sendable {
    let transport: Transport
    /// Says that the flow ends at the listener, which sends back what comes.
    let isEcho: Bool
    private let process: ClientProcess?
    private var client: CapturedLeg
    /// Is nil until a dial has an egress.
    private var server: CapturedLeg?
    private var up = Progress()
    private var down = Progress()

    /// Counts one direction's bytes on the leg that they come from and on the leg that they go to.
    ///
    /// The two differ while a toxic holds chunks, and where it changes them.
    struct Progress {
        var received = UInt64(0)
        var forwarded = UInt64(0)
        /// The source has ended.
        var isEnding = false
        /// Toxics are, or were, on the direction: a record of its own says when its end goes on.
        var isTampered = false
        /// The receiver was told the end.
        var isPassed = false
    }

    /// Makes the state of a flow from its first record, and the process that the client is.
    init(_ record: FlowRecord, _ process: ClientProcess? = nil) {
        self.process = process
        transport = record.transport
        isEcho = record.path.server == nil
        client = CapturedLeg(.client, record.path.client, record.path.listener, of: record, process)
        server = CapturedLeg(serverLegOf: record, process)
    }

    subscript(direction: Direction) -> Progress {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    /// Says where a direction's bytes come from.
    func source(of direction: Direction) -> FlowLeg { direction == .upstream || isEcho ? .client : .server }

    /// Lets a leg write, if it is there.
    mutating func on(_ leg: FlowLeg, _ body: (inout CapturedLeg) -> Void) {
        if leg == .client { body(&client) } else { server?.apply(body) }
    }

    /// Takes another server leg where a record's dial is another one than the last; returns whether it is.
    mutating func takeServerLeg(of record: FlowRecord) -> Bool {
        guard let leg = CapturedLeg(serverLegOf: record, process), !leg.hasSameEnds(as: server) else { return false }
        server = leg
        return true
    }

    /// Says something with the next packet of a leg, or of the client's where the leg is not there.
    mutating func note(_ text: String, on leg: FlowLeg) { on(server == nil ? .client : leg) { $0.note(text) } }

    /// Says that a dial met itself.
    var isSelfConnected: Bool { server?.isSelfConnected ?? false }

    /// Says how many bytes of a chunk one packet takes: the same on both legs, so that their packets are pairs.
    private func largestPayload(inPackets size: Int) -> Int {
        guard transport == .tcp else { return .max }
        let legs = [client.initiator.address, server?.initiator.address ?? client.initiator.address]
        return size - max(Frame.headersSize(legs[0]), Frame.headersSize(legs[1]))
    }
}

// Bytes
extension CapturedFlow {
    /// Writes a chunk that has come, and is held, on the leg that it comes from.
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

    /// Writes a chunk that has gone on: on the leg that it goes to, and, if that was not written when it was received, on
    /// the leg that it comes from.
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
        // What an echo server sends back is another packet than what came: it has a number of its own.
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
                // The client knows the listener alone.
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
            // The relay says both ends itself.
            (up.isTampered, down.isTampered) = (true, true)
            note("toxic \(name) ends the flow", on: .client)
        case .reset: note("toxic \(name) resets both sides", on: .client)
        }
    }

    /// Notes bytes or datagrams that did not make it to the leg that they were to go to.
    mutating func note(_ drop: DropRecord) {
        let datagrams = drop.datagrams > 0 ? "(\(drop.datagrams) datagrams) " : ""
        let bytes = drop.bytes > 0 || drop.datagrams == 0 ? "(\(drop.bytes) bytes) " : ""
        let text = "\(datagrams)\(bytes)\(drop.direction) did not reach the receiver: \(drop.reason)"
        note(text, on: drop.direction == .upstream ? .server : .client)
    }
}

extension CapturedLeg {
    /// Makes the server leg of a record; nil where its dial has no egress.
    fileprivate init?(serverLegOf record: FlowRecord, _ process: ClientProcess?) {
        guard let egress = record.path.egress, let server = record.path.server else { return nil }
        self.init(.server, egress, server, of: record, process)
    }
}

extension ChunkRecord {
    /// Counts the bytes of the direction up to the chunk's end.
    fileprivate var end: UInt64 { offset &+ UInt64(length) }

    /// Counts the bytes that are missing between what was written last and the bytes at hand, which end the chunk.
    fileprivate func gap(behind written: UInt64, holding bytes: RawSpan) -> UInt64 {
        let start = end &- UInt64(bytes.byteCount)
        return start > written ? start &- written : 0
    }
}
