import WeirDissect
import WeirWire

/// Puts the streams of a capture together, or, of any other bytes, segments that they describe; whatever comes, the pieces
/// of a stream follow one another, memory is bounded, and the report adds up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    let window = file.span.bytes
    for policy in OverlapPolicy.allCases {
        // Small limits, so that gaps are given up, too.
        var settings = ReassemblySettings()
        settings.overlap = policy
        (settings.flowLimit, settings.totalLimit, settings.window, settings.patience) = (20_000, 50_000, 1000, 4)
        var run = Run(settings)
        var flows = CaptureFlows(limit: 50)
        var reader = CaptureReader()
        var packets = 0
        while let item = try? reader.next(in: window) {
            guard case .packet(let packet) = item else { continue }
            packets += 1
            let bytes = window.extracting(packet.range)
            flows.add(packet, bytes)
            guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { continue }
            if place.hasTurned { run.turn(place.index) }
            flows.withPayload(.tcp, of: bytes) { run.add(segment, $0, flow: place.index, place.direction) }
        }
        if packets == 0 { run.addSegments(of: file) }
        run.finish()
    }
    return 0
}

/// One reassembly, and what it has given.
private struct Run: ~Copyable {
    private let settings: ReassemblySettings
    private var reassembler: TCPReassembler
    /// Holds where the streams of a flow have come to, and their bytes, the upstream first.
    private var given: [Int: [(end: Int, bytes: Int)]] = [:]

    init(_ settings: ReassemblySettings) {
        self.settings = settings
        reassembler = TCPReassembler(settings)
    }

    mutating func add(_ segment: StreamSegment, _ payload: RawSpan, flow: Int, _ direction: Direction) {
        var pieces: [StreamPiece] = []
        reassembler.add(segment, payload, flow: flow, direction, at: nil) { piece, bytes in
            precondition(bytes.byteCount == (piece.content == .bytes ? piece.count : 0), "a piece has its bytes")
            pieces.append(piece)
        }
        take(pieces)
        precondition(reassembler.memory <= settings.totalLimit + settings.flowLimit, "memory is bounded")
    }

    mutating func turn(_ flow: Int) {
        reassembler.turn(flow: flow)
        given[flow]?.swapAt(0, 1)
    }

    /// Adds the segments that four bytes each describe: flow, direction and flags; number; length; content.
    mutating func addSegments(of file: [UInt8]) {
        let payload = [UInt8](0...255) + [UInt8](0...255)
        for index in stride(from: 0, to: file.count - 3, by: 4) {
            let (kind, number, length, noise) = (file[index], file[index + 1], file[index + 2], file[index + 3])
            var flags: TCPFlags = kind & 4 == 0 ? .ack : [.ack, .psh]
            if kind & 8 != 0 { flags.insert(.syn) }
            if kind & 16 != 0 { flags.insert(.fin) }
            if kind & 32 != 0 { flags.insert(.rst) }
            let captured = kind & 64 == 0 ? Int(length) : Int(length) / 2
            let start = Int(number &+ (noise & 1))
            add(
                StreamSegment(
                    sequenceNumber: UInt32.max &- 100 &+ UInt32(number) &* (kind & 128 == 0 ? 1 : 16),
                    acknowledgmentNumber: UInt32.max &- 100 &+ UInt32(noise) &* 16,
                    flags: flags,
                    length: Int(length)
                ),
                payload[start..<(start + captured)].span.bytes,
                flow: Int(kind & 1),
                kind & 2 == 0 ? .upstream : .downstream
            )
        }
    }

    private mutating func take(_ pieces: [StreamPiece]) {
        for piece in pieces {
            let side = piece.direction == .upstream ? 0 : 1
            var sides = given[piece.flow] ?? [(0, 0), (0, 0)]
            precondition(piece.count > 0 && piece.offset == sides[side].end, "pieces follow one another")
            sides[side].end += piece.count
            if piece.content == .bytes { sides[side].bytes += piece.count }
            given[piece.flow] = sides
        }
    }

    mutating func finish() {
        var pieces: [StreamPiece] = []
        reassembler.finish { piece, _ in pieces.append(piece) }
        take(pieces)
        precondition(reassembler.memory == 0, "nothing is kept at the end")
        for (flow, sides) in given {
            for (direction, side) in zip([Direction.upstream, .downstream], sides) {
                let report = reassembler.report(flow: flow, direction)
                precondition(report.bytes == side.bytes, "the report counts the bytes that were given")
                precondition(report.bytes + report.gaps.bytes + report.cut.bytes == side.end, "and what was not")
            }
        }
    }
}
