import Support
import Testing
import WeirSinks
import WeirWire

@testable import WeirEngine

/// Any toxics on both directions, changed while they hold something: what records, log and capture say is what went.
@Suite("Records under random toxics", .timeLimit(.minutes(10)))
struct RecordPropertyTests {
    private static func toxics(_ transport: Transport, _ random: inout SplitMix64) throws -> ToxicSet {
        let types = Toxics.all.filter { $0.transports.contains(transport) }
        var chain: [ToxicConfiguration] = []
        for direction in Direction.allCases {
            for number in 0..<Int.random(in: 0...3, using: &random) {
                let type = types[Int.random(in: types.indices, using: &random)].name
                let name = "\(type) \(direction) \(number)"
                let attributes = ToxicSamples.randomAttributes(type, &random)
                chain.append(ToxicConfiguration(type, direction, name: name, attributes: attributes))
            }
        }
        return try ToxicSet(chain, for: transport)
    }

    /// Runs a flow whose toxics change now and then, to its end.
    private func run(_ transport: Transport, _ seed: UInt64) throws -> Simulation {
        var random = SplitMix64(seed: ~seed)
        let isEcho = seed % 7 == 0
        let set = try Self.toxics(transport, &random)
        var simulation = Simulation(transport, isEcho: isEcho, set, keepsBytes: false, seed: seed)
        simulation.start()
        for _ in 0..<simulation.roll(120) where !simulation.isClosed {
            simulation.step()
            guard simulation.roll(25) == 0, !simulation.isClosed else { continue }
            simulation.setToxics(try Self.toxics(transport, &random))
        }
        simulation.drain()
        simulation.checkEnd()
        return simulation
    }

    @Test("Are the same in the log and on both legs of the capture, and what went is among them", arguments: 0..<100)
    func agree(_ hundred: Int) throws {
        var bytes = 0
        for number in 0..<100 {
            let seed = UInt64(hundred * 100 + number + 1)
            let transport: Transport = number % 2 == 0 ? .tcp : .udp
            let simulation = try run(transport, seed)
            let logged = try Self.logged(simulation.told)
            let captured = try Self.captured(simulation.told)
            for direction in Direction.allCases {
                let shown = Self.forwarded(simulation.told, direction)
                bytes += shown.joined().count
                #expect(logged[direction] ?? [] == shown, "seed \(seed), the log, \(direction)")
                let (near, far) = direction == .upstream ? ("client", "server") : ("server", "client")
                guard !simulation.flow.isEcho else { continue }
                let legs = [near: Self.arrived(simulation.told, direction), far: shown]
                for (leg, chunks) in legs {
                    // Without an endpoint of its own a leg has no packets.
                    guard leg == "client" || simulation.flow.path.egress != nil else { continue }
                    #expect(captured["\(leg) \(direction)"] ?? [] == Array(chunks.joined()), "seed \(seed), \(leg)")
                }
            }
        }
        #expect(bytes > 1000)
    }

    /// The bytes of each chunk of a direction that went on, as its record has them.
    private static func forwarded(_ told: [(record: FlowRecord, bytes: [UInt8])], _ way: Direction) -> [[UInt8]] {
        told.compactMap { record, bytes in record.forwarded?.direction == way ? bytes : nil }
    }

    /// The bytes of each chunk of a direction that came, whatever became of it.
    private static func arrived(_ told: [(record: FlowRecord, bytes: [UInt8])], _ way: Direction) -> [[UInt8]] {
        told.compactMap { record, bytes in
            switch record.happening {
            case .received(let chunk) where chunk.direction == way: bytes
            case .forwarded(let chunk) where chunk.direction == way && !chunk.isTampered: bytes
            default: nil
            }
        }
    }

    /// Reads the bytes of the data lines of the log.
    private static func logged(_ told: [(record: FlowRecord, bytes: [UInt8])]) throws -> [Direction: [[UInt8]]] {
        var sink = JSONLinesSink(withBytes: true)
        var output = ByteBuffer()
        for (record, bytes) in told { sink.render(record, bytes: bytes.span.bytes, into: &output) }
        var found: [Direction: [[UInt8]]] = [:]
        for line in output.string.split(separator: "\n") {
            let value = try JSONParser.parseWhole(Array(line.utf8))
            guard value["event"]?.stringValue == "data" else { continue }
            let direction: Direction = value["direction"]?.stringValue == "upstream" ? .upstream : .downstream
            let text = value["bytes"]?.stringValue ?? ""
            found[direction, default: []].append(try #require(Base64.decode(text)))
        }
        return found
    }

    /// Reads the payloads of the capture, by the leg and the direction.
    private static func captured(_ told: [(record: FlowRecord, bytes: [UInt8])]) throws -> [String: [UInt8]] {
        var sink = CaptureSink(CaptureSettings(seed: 1))
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        for (record, bytes) in told { sink.render(record, bytes: bytes.span.bytes, into: &output) }
        sink.finish(into: &output)
        let capture = try SeenCapture(output.withUnsafeBytes { Array($0) })
        #expect(capture.error == nil)
        var found: [String: [UInt8]] = [:]
        for packet in capture.packets {
            let way: Direction = packet.flags.contains(.inbound) ? .upstream : .downstream
            found["\(packet.leg) \(way)", default: []] += packet.payload
        }
        return found
    }
}
