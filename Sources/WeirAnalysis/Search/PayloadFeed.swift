import WeirDissect
import WeirWire

/// The bytes that the flows of a capture carried: streams in order, and datagrams.
struct PayloadFeed: ~Copyable, Sendable {
    private var reassembler: TCPReassembler

    /// Bytes of a direction, or a gap in them.
    struct Piece {
        /// The place of the flow in the table.
        var place: Int
        var direction: Direction
        /// The offset in the stream; 0 for a datagram.
        var offset: Int
        /// The number of bytes, also of those that are missing.
        var count: Int
        /// The time, in nanoseconds since 1970 UTC.
        var time: Int64?
        var isDatagram = false
        /// Whether the bytes are missing.
        var isGap = false
    }

    init() {
        var settings = ReassemblySettings()
        // Bytes that come again are not compared.
        settings.window = 0
        reassembler = TCPReassembler(settings)
    }

    /// Adds a packet that was already added to the flows.
    ///
    /// - Parameters:
    ///   - packet: Its time and lengths.
    ///   - bytes: Its captured bytes.
    ///   - flows: The decoded packet, and the flows up to it.
    ///   - receiver: Receives the bytes that are now in order, lent for the call.
    mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to receiver: (Piece, RawSpan) -> Void
    ) {
        let time = packet.timestamp
        if let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment {
            if place.hasTurned { reassembler.turn(flow: place.index) }
            if segment.length > 0 || !segment.flags.isDisjoint(with: [.syn, .fin, .rst]) {
                let stages = flows.stages
                flows.withPayload(.tcp, of: bytes) { payload in
                    Self.add(segment, payload, place, at: time, stages, &reassembler, receiver)
                }
            }
        }
        if let place = flows.udp, let length = flows.packet.udp?.payloadLength, length > 0 {
            flows.withPayload(.udp, of: bytes) { receiver(Self.datagram(place, $0, time), $0) }
        }
        for index in flows.innerUDP.indices {
            guard let place = flows.innerUDP[index] else { continue }
            flows.withInnerPayload(index, of: bytes) { receiver(Self.datagram(place, $0, time), $0) }
        }
    }

    /// Gives what waits for bytes that were not captured.
    mutating func finish(to receiver: (Piece, RawSpan) -> Void) {
        Self.finish(&reassembler, receiver)
    }

    private static func add(
        _ segment: StreamSegment,
        _ payload: RawSpan,
        _ place: FlowTable.Place,
        at time: Int64?,
        _ stages: (any StreamStages)?,
        _ reassembler: inout TCPReassembler,
        _ receiver: (Piece, RawSpan) -> Void
    ) {
        let (flow, direction) = (place.index, place.direction)
        reassembler.add(segment, payload, flow: flow, direction, at: time, through: stages) { receiver(Piece($0), $1) }
    }

    private static func finish(_ reassembler: inout TCPReassembler, _ receiver: (Piece, RawSpan) -> Void) {
        reassembler.finish { receiver(Piece($0), $1) }
    }

    private static func datagram(_ place: FlowTable.Place, _ payload: RawSpan, _ time: Int64?) -> Piece {
        Piece(
            place: place.index,
            direction: place.direction,
            offset: 0,
            count: payload.byteCount,
            time: time,
            isDatagram: true
        )
    }
}

extension PayloadFeed.Piece {
    fileprivate init(_ piece: StreamPiece) {
        self.init(
            place: piece.flow,
            direction: piece.direction,
            offset: piece.offset,
            count: piece.count,
            time: piece.time,
            isGap: piece.content != .bytes
        )
    }
}
