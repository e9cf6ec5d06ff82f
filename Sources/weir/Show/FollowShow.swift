import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

/// The view of what both sides of a flow sent: a reassembled TCP stream, or datagrams.
struct FollowShow: ShowView, ~Copyable {
    /// The form in which it is written.
    enum Form {
        case form(FollowForm)
        case json
    }

    private let flow: Int
    private let leg: FlowLeg?
    /// The flow's place in the table, as soon as it is there.
    private var place: Int?
    private var joiner = FlowRows()
    private var reassembler: TCPReassembler
    private var renderer: Renderer

    init(
        _ flow: Int,
        leg: FlowLeg? = nil,
        _ form: Form,
        only: Direction?,
        _ settings: ReassemblySettings,
        _ style: TerminalStyle
    ) {
        self.flow = flow
        self.leg = leg
        reassembler = TCPReassembler(settings)
        renderer = Renderer(flow, form, only, style)
    }

    var isLive: Bool { true }
    var needsBytes: String? { "--follow" }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        place = joiner.place(flow, leg, count: flows.table.count)
    }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        guard let wanted = place, flows.hasFlow({ $0 == wanted }) else { return }
        renderer.begin(flows.table[wanted], joiner.path(wanted))
        if let place = flows.tcp, place.index == wanted, let segment = flows.packet.tcp?.streamSegment {
            if place.hasTurned {
                reassembler.turn(flow: wanted)
                renderer.turn()
            }
            let source = Segment(segment: segment, direction: place.direction, time: packet.timestamp)
            let stages = flows.stages
            flows.withPayload(.tcp, of: bytes) { payload in
                Self.add(source, payload, wanted, stages, to: &reassembler, &renderer, output)
            }
        }
        if let place = flows.udp, place.index == wanted, let length = flows.packet.udp?.payloadLength {
            flows.withPayload(.udp, of: bytes) { payload in
                renderer.append(datagram: payload, length, place.direction, at: packet.timestamp, output)
            }
        }
        for index in flows.innerUDP.indices {
            guard let place = flows.innerUDP[index], place.index == wanted else { continue }
            let length = flows.packet.innerUDP[index].payloadLength
            flows.withInnerPayload(index, of: bytes) { payload in
                renderer.append(datagram: payload, length, place.direction, at: packet.timestamp, output)
            }
        }
    }

    mutating func finish(
        _ flows: borrowing CaptureFlows,
        _ report: ShowReport,
        _ output: ShowOutput
    ) throws(Failure) {
        guard let place else {
            throw Failure(.expectationFailed, "flow \(flow) has no \(leg ?? .client)'s leg in this capture")
        }
        Self.finish(&reassembler, &renderer, output)
        guard flows.table[place].transport == .tcp else { return }
        for direction in Direction.allCases {
            renderer.append(reassembler.report(flow: place, direction), direction, output)
        }
    }

    /// A segment with its direction and time.
    private struct Segment {
        var segment: StreamSegment
        var direction: Direction
        var time: Int64?
    }

    private static func add(
        _ source: Segment,
        _ payload: RawSpan,
        _ place: Int,
        _ stages: (any StreamStages)?,
        to reassembler: inout TCPReassembler,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        let (direction, time) = (source.direction, source.time)
        reassembler.add(source.segment, payload, flow: place, direction, at: time, through: stages) { piece, bytes in
            renderer.append(piece, bytes, output)
        }
    }

    private static func finish(
        _ reassembler: inout TCPReassembler,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        reassembler.finish { piece, bytes in renderer.append(piece, bytes, output) }
        renderer.endHandshake(isShown: true, output)
    }
}

extension FollowShow {
    /// A renderer of pieces in the requested form.
    private struct Renderer {
        private let flow: Int
        private let only: Direction?
        private let form: FollowForm?
        private var text: FollowText
        private var json = FollowJSON()
        private var sent: [Direction: Int] = [:]
        private var hasBegun = false
        /// The pieces of a handshake, which are left out if anything is decrypted behind them.
        private var handshake: [(piece: StreamPiece, bytes: [UInt8])] = []
        private var handshakeBytes = 0
        private static let mostHandshake = 4 << 20

        init(_ flow: Int, _ form: Form, _ only: Direction?, _ style: TerminalStyle) {
            self.flow = flow
            self.only = only
            if case .form(let form) = form { self.form = form } else { self.form = nil }
            text = FollowText(
                self.form ?? .raw,
                color: style.color,
                isUnicode: style.isUnicode,
                localOffset: Terminal.localOffset
            )
        }

        /// Stores the flow's transport protocol and the ports that tell its protocol.
        mutating func begin(_ flow: ObservedFlow, _ path: FlowPath?) {
            if !hasBegun {
                text.dissect(
                    flow.transport,
                    client: path?.listener ?? flow.client,
                    server: path.map { $0.server ?? $0.listener } ?? flow.server
                )
            }
            hasBegun = true
        }

        mutating func turn() { text.turn() }

        mutating func append(_ piece: StreamPiece, _ bytes: RawSpan, _ output: ShowOutput) {
            var piece = piece
            piece.flow = flow
            if piece.layer == .handshake, handshakeBytes < Self.mostHandshake {
                handshakeBytes += bytes.byteCount
                return handshake.append((piece, bytes.withUnsafeBytes { Array($0) }))
            }
            endHandshake(isShown: piece.layer != .decrypted, output)
            show(piece, bytes, output)
        }

        /// Passes on the pieces of a handshake that have waited.
        mutating func endHandshake(isShown: Bool, _ output: ShowOutput) {
            guard !handshake.isEmpty else { return }
            let waiting = handshake
            handshake = []
            handshakeBytes = 0
            for (piece, bytes) in waiting {
                if isShown { show(piece, bytes.span.bytes, output) } else { text.read(piece, bytes.span.bytes) }
            }
        }

        private mutating func show(_ piece: StreamPiece, _ bytes: RawSpan, _ output: ShowOutput) {
            text.read(piece, bytes)
            guard only == nil || only == piece.direction else { return }
            output.write { buffer in
                if form == nil {
                    json.append(piece, bytes, to: &buffer)
                } else {
                    text.append(piece, bytes, to: &buffer)
                }
            }
        }

        /// Shows a datagram, and how many of its bytes were cut off.
        mutating func append(
            datagram: RawSpan,
            _ length: Int,
            _ direction: Direction,
            at time: Int64?,
            _ output: ShowOutput
        ) {
            let offset = sent[direction, default: 0]
            sent[direction] = offset + length
            var piece = StreamPiece(
                flow: flow,
                direction: direction,
                offset: offset,
                count: datagram.byteCount,
                time: time,
                content: .bytes
            )
            append(piece, datagram, output)
            guard datagram.byteCount < length else { return }
            piece.offset += datagram.byteCount
            piece.count = length - datagram.byteCount
            piece.content = .cut
            append(piece, RawSpan(), output)
        }

        /// Shows the report on a direction; if the output is raw bytes, on standard error.
        mutating func append(_ report: StreamReport, _ direction: Direction, _ output: ShowOutput) {
            guard only == nil || only == direction else { return }
            switch form {
            case nil: output.write { json.append(report, flow: flow, direction, to: &$0) }
            case .raw, .text2pcap:
                guard !report.isWhole else { return }
                output.flush()
                var lines = ByteBuffer()
                report.append(direction, flow: flow, prefix: "weir: ", to: &lines)
                lines.withUnsafeBytes { Diagnostics.write($0) }
            case .text, .hex: output.write { report.append(direction, flow: flow, prefix: "", to: &$0) }
            }
        }
    }
}
