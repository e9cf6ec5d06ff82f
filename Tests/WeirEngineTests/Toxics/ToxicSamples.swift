import Support
import WeirWire

@testable import WeirEngine

/// Holds settings with which each type does something.
enum ToxicSamples {
    static let attributes: [String: [String: ToxicValue]] = [
        "latency": ["latency": .int(100), "jitter": .int(50)],
        "hold": ["timeout": .int(50)],
        "bandwidth": ["rate": .int(50)],
        "timeout": ["timeout": .int(200)],
        "reset_peer": ["timeout": .int(150)],
        "slicer": ["average_size": .int(700), "size_variation": .int(300), "delay": .int(10)],
        "limit_data": ["bytes": .int(40_000)],
        "slow_close": ["delay": .int(100)],
        "packet_loss": ["loss_rate": .double(0.3), "correlation": .double(0.2)],
        "corrupt": ["rate": .double(0.01)],
        "replace": ["find": .string("hex:6162"), "with": .string("XYZ")],
        "dns": ["host": .string("*.example.com"), "address": .string("127.0.0.1 ::1")],
        "loss": ["rate": .double(0.3), "correlation": .double(0.5)],
        "duplicate": ["rate": .double(0.5)],
        "reorder": ["rate": .double(0.5)],
    ]

    /// Draws settings of a type, those with which it does little or nothing among them.
    static func randomAttributes(_ type: String, _ random: inout SplitMix64) -> [String: ToxicValue] {
        func number(_ range: ClosedRange<Int>) -> ToxicValue { .int(.random(in: range, using: &random)) }
        func rate() -> ToxicValue { .double(Double(Int.random(in: 1...9, using: &random)) / 10) }
        return switch type {
        case "latency": ["latency": number(0...120), "jitter": number(0...40)]
        case "bandwidth": ["rate": number(1...50)]
        case "slow_close": ["delay": number(0...200)]
        case "timeout": ["timeout": number(0...300)]
        case "reset_peer": ["timeout": number(0...300)]
        case "slicer": ["average_size": number(1...20), "size_variation": number(0...1), "delay": number(0...2000)]
        case "limit_data": ["bytes": number(0...900)]
        case "loss", "duplicate", "reorder", "corrupt": ["rate": rate()]
        case "packet_loss": ["loss_rate": rate()]
        case "replace":
            ["find": .string("hex:0506"), "with": .string(["hex:ff", "hex:", "hex:fffefdfc"].drawn(&random))]
        case "dns": ["host": .string("example.com"), "address": .string("127.0.0.1"), "ttl": number(0...9)]
        case "hold": ["timeout": number(1...300)]
        default: [:]
        }
    }

    /// Makes the configuration of a type with these settings.
    static func configuration(_ type: String, _ direction: Direction = .upstream) -> ToxicConfiguration {
        ToxicConfiguration(type, direction, attributes: attributes[type] ?? [:])
    }
}

extension Array {
    func drawn(_ random: inout SplitMix64) -> Element { self[Int.random(in: indices, using: &random)] }
}

/// Drives a chain alone, with a clock that is moved.
struct ChainRun {
    var chain: ToxicChain
    var clock = ManualClock()
    var output: [ToxicChain.Output] = []
    private let context: MeetingContext
    private let transport: Transport

    init(_ configurations: [ToxicConfiguration], over transport: Transport, seed: UInt64 = 1) throws {
        chain = ToxicChain(keepsOrder: transport == .tcp)
        self.transport = transport
        context = MeetingContext(client: Playbook.path.client, number: 1, seed: seed, firstBytes: nil)
        try change(to: configurations)
    }

    mutating func change(to configurations: [ToxicConfiguration]) throws {
        let set = try ToxicSet(configurations, for: transport)
        chain.change(to: set.entries, context, at: clock.now.instant, into: &output)
        chain.advance(to: clock.now.instant, into: &output)
    }

    mutating func push(_ bytes: [UInt8]) {
        let now = clock.now.instant
        chain.push(Chunk(bytes: bytes, receivedAt: now), at: now, into: &output)
        chain.advance(to: now, into: &output)
    }

    mutating func end() {
        chain.pushEnd(at: clock.now.instant, into: &output)
        chain.advance(to: clock.now.instant, into: &output)
    }

    mutating func advance(by duration: Duration) {
        clock.advance(by: duration)
        chain.advance(to: clock.now.instant, into: &output)
    }

    /// Lists the chunks that came out.
    var chunks: [Chunk] {
        output.compactMap { if case .chunk(let chunk) = $0 { chunk } else { nil } }
    }

    /// Joins the bytes that came out.
    var bytes: [UInt8] { chunks.flatMap(\.bytes) }

    /// Counts the bytes that toxics have dropped.
    var dropped: Int {
        output.reduce(0) { sum, item in if case .dropped(_, let bytes, _) = item { sum + bytes } else { sum } }
    }

    /// Counts the ends that came out.
    var ends: Int { output.count { if case .end = $0 { true } else { false } } }
}

extension ToxicChain.Output: CustomStringConvertible {
    /// Says all that is to be the same with the same seed.
    public var description: String {
        switch self {
        case .chunk(let chunk): "\(chunk)"
        case .end(let closer): "end \(closer?.name ?? "")"
        case .reset(let entry): "reset \(entry.name)"
        case .dropped(let entry, let bytes, let chunks): "dropped \(entry.name) \(bytes) \(chunks)"
        case .record(let record): "\(record)"
        }
    }
}
