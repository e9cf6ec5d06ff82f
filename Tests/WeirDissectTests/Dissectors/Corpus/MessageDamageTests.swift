import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Messages of the corpus, cut and flipped", .tags(.slow), .timeLimit(.minutes(20)))
struct MessageDamageTests {
    /// One packet's payload in its flow.
    private struct Chunk {
        var flow: Int
        var direction: Direction
        var bytes: [UInt8]
    }

    private struct Flows {
        var tuples: [FiveTuple] = []
        var chunks: [Chunk] = []
    }

    private static func flows(in file: [UInt8]) -> Flows {
        var reader = CaptureReader()
        var flows = CaptureFlows()
        var found = Flows()
        while let item = try? reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            for (place, transport) in [(flows.tcp, Transport.tcp), (flows.udp, .udp)] {
                guard let place else { continue }
                flows.withPayload(transport, of: bytes) { payload in
                    guard payload.byteCount > 0 else { return }
                    let chunk = Chunk(
                        flow: place.index,
                        direction: place.direction,
                        bytes: payload.withUnsafeBytes { Array($0) }
                    )
                    found.chunks.append(chunk)
                }
            }
        }
        found.tuples = (0..<flows.table.count).map { flows.table[$0].tuple }
        return found
    }

    private static func dissector(_ tuple: FiveTuple) -> FlowDissector {
        FlowDissector(tuple.transport, clientPort: tuple.source.port, serverPort: tuple.destination.port)
    }

    @Test("Every prefix of every flow ends without a trap", .needsCorpus)
    func prefixes() throws {
        var messages = 0
        var random = SeededGenerator(seed: 1)
        for name in try Corpus.files() {
            let flows = Self.flows(in: try Corpus.read(name))
            var states: [Int: FlowDissector] = [:]
            for (number, chunk) in flows.chunks.enumerated() {
                let state = states[chunk.flow] ?? Self.dissector(flows.tuples[chunk.flow])
                guard !state.hasGivenUp else { continue }
                // The first packets end behind each of their bytes, the others at some.
                let ends =
                    number < 8
                    ? Array(0..<min(chunk.bytes.count, 600))
                    : [0, Int.random(in: 0...chunk.bytes.count, using: &random)]
                for end in ends {
                    var cut = state
                    cut.add(chunk.bytes.span.bytes.extracting(first: end), chunk.direction, at: 1) { _ in }
                    cut.finish { message in messages += message.isComplete ? 0 : 1 }
                }
                var whole = state
                whole.add(chunk.bytes.span.bytes, chunk.direction, at: 1) { _ in messages += 1 }
                states[chunk.flow] = whole
            }
        }
        #expect(messages > 10_000)
    }

    @Test("Random flips in every file do without a trap", .needsCorpus, arguments: [1, 2, 3] as [UInt64])
    func flips(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var messages = 0
        for name in try Corpus.files() {
            let flows = Self.flows(in: try Corpus.read(name))
            var states: [Int: FlowDissector] = [:]
            for chunk in flows.chunks {
                var bytes = chunk.bytes
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                states[chunk.flow, default: Self.dissector(flows.tuples[chunk.flow])]
                    .add(bytes.span.bytes, chunk.direction, at: 1) { _ in messages += 1 }
            }
            for flow in states.keys.sorted() { states[flow]?.finish { _ in messages += 1 } }
        }
        #expect(messages > 4000)
    }

    @Test("Streams that are understood to their last byte say the same in pieces of any size", .needsCorpus)
    func pieces() throws {
        var compared = 0
        for name in try Corpus.files() {
            let flows = Self.flows(in: try Corpus.read(name))
            var streams: [Int: [[UInt8]]] = [:]
            for chunk in flows.chunks where flows.tuples[chunk.flow].transport == .tcp {
                streams[chunk.flow, default: [[], []]][Int(chunk.direction.rawValue)] += chunk.bytes
            }
            for (flow, sides) in streams where sides[0].count + sides[1].count < 20_000 {
                let dissector = Self.dissector(flows.tuples[flow])
                let whole = Self.said(sides, dissector, size: .max)
                // Where bytes are none of a message, the next message is looked for where the next chunk begins; and a
                // port that tells nothing leaves a message of DNS, or a request without a version, to its first chunk.
                let isWhole = whole.bytes == sides[0].count + sides[1].count
                guard isWhole, dissector.isOnPort(of: whole.name) else { continue }
                compared += 1
                for size in [1, 3, 1000] {
                    #expect(Self.said(sides, dissector, size: size).lines == whole.lines, "\(name) \(flow) \(size)")
                }
            }
        }
        #expect(compared > 100)
    }

    private struct Said {
        var lines: [String] = []
        var bytes = 0
        var name = ""

        mutating func add(_ message: Message) {
            name = "\(message.name)"
            bytes += message.isComplete ? message.range.count : 0
            let summary = message.summary.string
            // Records of application data are taken together as they come.
            guard !summary.contains("application data") else { return }
            lines.append("\(message.direction) \(message.range) \(summary) \(message.isComplete)")
        }
    }

    /// Gives both streams, the client's first, in pieces of a size.
    private static func said(_ sides: [[UInt8]], _ dissector: FlowDissector, size: Int) -> Said {
        var (dissector, said) = (dissector, Said())
        for (bytes, direction) in zip(sides, Direction.allCases) where !bytes.isEmpty {
            let size = min(size, bytes.count)
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = bytes.span.bytes.extracting(start..<min(start + size, bytes.count))
                dissector.add(piece, direction, at: nil) { said.add($0) }
            }
        }
        dissector.finish { said.add($0) }
        return said
    }
}

extension FlowDissector {
    fileprivate func isOnPort(of name: String) -> Bool {
        let ports = Dissectors.descriptions.first { "\($0.name)" == name }?.ports ?? []
        return ports.contains(serverPort) || ports.contains(clientPort)
    }
}
