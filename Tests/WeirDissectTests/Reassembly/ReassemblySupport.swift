import WeirDissect
import WeirWire

/// Collects what a reassembler gives of one flow.
struct Streams: Equatable {
    /// The bytes of the client; a gap is so many times `nil`, up to 100 times.
    var up: [UInt8?] = []
    var down: [UInt8?] = []
    var pieces: [StreamPiece] = []

    mutating func receive(_ piece: StreamPiece, _ bytes: RawSpan) {
        pieces.append(piece)
        let content: [UInt8?] =
            piece.content == .bytes
            ? bytes.withUnsafeBytes { $0.map { $0 } }
            : Array(repeating: nil, count: min(piece.count, 100))
        if piece.direction == .upstream { up += content } else { down += content }
    }

    var upText: String { Self.text(up) }
    var downText: String { Self.text(down) }

    /// Writes a byte that is missing as `_`.
    private static func text(_ bytes: [UInt8?]) -> String {
        String(decoding: bytes.map { $0 ?? UInt8(ascii: "_") }, as: UTF8.self)
    }
}

/// Says what a flow of segments comes to.
struct Reassembled {
    var streams = Streams()
    var up = StreamReport()
    var down = StreamReport()
}

/// A TCP segment as a test writes it.
struct Segment: Sendable {
    var direction = Direction.upstream
    var number: UInt32
    var text: String
    var flags: TCPFlags = .ack
    var acknowledgment: UInt32 = 0
    /// The payload's length on the wire, where less of it was captured.
    var length: Int?

    static func up(_ number: UInt32, _ text: String = "", _ flags: TCPFlags = [], ack: UInt32? = nil) -> Segment {
        let flags = ack == nil ? flags : flags.union(.ack)
        return Segment(number: number, text: text, flags: flags, acknowledgment: ack ?? 0)
    }

    static func down(_ number: UInt32, _ text: String = "", _ flags: TCPFlags = [], ack: UInt32? = nil) -> Segment {
        var segment = up(number, text, flags, ack: ack)
        segment.direction = .downstream
        return segment
    }

    func cut(to captured: Int) -> Segment {
        var segment = self
        segment.length = text.utf8.count
        segment.text = String(text.prefix(captured))
        return segment
    }

    func add(
        to reassembler: inout TCPReassembler,
        flow: Int = 0,
        at time: Int64? = nil,
        _ receiver: TCPReassembler.Receiver
    ) {
        let bytes = Array(text.utf8)
        let segment = StreamSegment(
            sequenceNumber: number,
            acknowledgmentNumber: acknowledgment,
            flags: flags,
            length: length ?? bytes.count
        )
        reassembler.add(segment, bytes.span.bytes, flow: flow, direction, at: time, to: receiver)
    }
}

/// Puts segments of one flow in order.
func reassemble(_ segments: [Segment], _ change: (inout ReassemblySettings) -> Void = { _ in }) -> Reassembled {
    var settings = ReassemblySettings()
    change(&settings)
    var reassembler = TCPReassembler(settings)
    var result = Reassembled()
    for (time, segment) in segments.enumerated() {
        segment.add(to: &reassembler, at: Int64(time)) { result.streams.receive($0, $1) }
    }
    reassembler.finish { result.streams.receive($0, $1) }
    result.up = reassembler.report(flow: 0, .upstream)
    result.down = reassembler.report(flow: 0, .downstream)
    return result
}
