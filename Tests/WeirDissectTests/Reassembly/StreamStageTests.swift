import Testing
import WeirDissect
import WeirWire

@Suite("Stages between reassembly and its readers")
struct StreamStageTests {
    /// Turns bytes round with a mask behind the first four of each direction, which are its handshake; it gives them in pairs.
    private struct Mask: StreamStage {
        var sides: [[UInt8]] = [[], []]
        var given = [0, 0]

        mutating func add(_ piece: StreamPiece, _ bytes: RawSpan, to receiver: Receiver) {
            let side = Int(piece.direction.rawValue)
            for index in 0..<bytes.byteCount {
                sides[side].append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
                if sides[side].count == 2 { give(piece, side, receiver) }
            }
        }

        mutating func turn() {
            sides.swapAt(0, 1)
            given.swapAt(0, 1)
        }

        mutating func finish(to receiver: Receiver) {
            for direction in Direction.allCases where !sides[Int(direction.rawValue)].isEmpty {
                let piece = StreamPiece(flow: 5, direction: direction, offset: 0, count: 0, time: 9, content: .bytes)
                give(piece, Int(direction.rawValue), receiver)
            }
        }

        private mutating func give(_ piece: StreamPiece, _ side: Int, _ receiver: Receiver) {
            let isHandshake = given[side] < 4
            let bytes = isHandshake ? sides[side] : sides[side].map { $0 ^ 0xff }
            var piece = piece
            (piece.offset, piece.count) = (given[side], bytes.count)
            piece.layer = isHandshake ? .handshake : .decrypted
            given[side] += bytes.count
            sides[side] = []
            receiver(piece, bytes.span.bytes)
        }
    }

    private final class Masks: StreamStages {
        func stage(of flow: Int) -> any StreamStage { Mask() }
    }

    private func segment(_ sequence: UInt32, _ flags: TCPFlags = .ack, count: Int) -> StreamSegment {
        StreamSegment(sequenceNumber: sequence, acknowledgmentNumber: 1, flags: flags, length: count)
    }

    @Test("Pieces of every order go through the stage of their flow, and the rest at the end")
    func pieces() {
        var reassembler = TCPReassembler()
        let stages = Masks()
        var given: [StreamPiece.Layer: [UInt8]] = [:]
        var flows: Set<Int> = []
        let take = { (piece: StreamPiece, bytes: RawSpan) in
            flows.insert(piece.flow)
            bytes.withUnsafeBytes { given[piece.layer, default: []] += $0 }
        }
        func add(_ segment: StreamSegment, _ bytes: [UInt8]) {
            reassembler.add(segment, bytes.span.bytes, flow: 5, .upstream, at: 1, through: stages, to: take)
        }
        add(segment(99, .syn, count: 0), [])
        add(segment(103, count: 3), [0xfe, 0xfd, 0xfc])
        #expect(given.isEmpty)
        add(segment(100, count: 3), [1, 2, 3])
        add(segment(106, count: 2), [0xfb, 0xfa])
        #expect(given == [.handshake: [1, 2, 3, 0xfe], .decrypted: [2, 3, 4, 5]])
        add(segment(108, count: 1), [0xf9])
        reassembler.finish(to: take)
        #expect(given[.decrypted] == [2, 3, 4, 5, 6] && flows == [5])
    }

    @Test("What was decrypted is recognised anew, in both directions, and its messages say so")
    func messages() {
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 443)
        var seen: [(name: String, isDecrypted: Bool, offset: Int)] = []
        func add(_ bytes: [UInt8], _ direction: Direction, _ layer: StreamPiece.Layer) {
            dissector.enter(layer)
            dissector.add(bytes.span.bytes, direction, at: 1) { message in
                seen.append((message.name.description, message.isDecrypted, message.range.lowerBound))
            }
        }
        add([21, 3, 3, 0, 2, 1, 0], .upstream, .stream)
        add([21, 3, 3, 0, 2, 1, 0], .downstream, .handshake)
        add(Array("GET / HTTP/1.1\r\n\r\n".utf8), .upstream, .decrypted)
        add(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8), .downstream, .decrypted)
        add([21, 3, 3, 0, 2, 1, 0], .upstream, .stream)
        #expect(seen.map(\.name) == ["tls", "tls", "http", "http", "tls"])
        #expect(seen.map(\.isDecrypted) == [false, false, true, true, false])
        #expect(seen.map(\.offset) == [0, 0, 7, 7, 25])
    }
}
