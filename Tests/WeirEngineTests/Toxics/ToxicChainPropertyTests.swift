import Support
import Testing
import WeirWire

@testable import WeirEngine

/// Any toxics, several in a row, over both transports, that change and go while they hold chunks and ends.
@Suite("A chain of random toxics")
struct ToxicChainPropertyTests {
    /// Drives a chain with random steps, and keeps what went in.
    private struct Drive {
        var run: ChainRun
        var toxics: [ToxicConfiguration]
        var sent: [UInt8] = []
        var hasEnded = false
        let types: [String]

        init(_ transport: Transport, _ random: inout SplitMix64) throws {
            types = Toxics.all.filter { $0.transports.contains(transport) }.map(\.name)
            toxics = []
            for number in 0..<Int.random(in: 1...3, using: &random) {
                let type = types.drawn(&random)
                let attributes = ToxicSamples.randomAttributes(type, &random)
                toxics.append(.init(type, .upstream, name: "\(type) \(number)", attributes: attributes))
            }
            run = try ChainRun(toxics, over: transport, seed: random.next())
        }

        mutating func step(_ random: inout SplitMix64) throws {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4 where !hasEnded:
                let count = Int.random(in: 1...60, using: &random)
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: sent.count + $0) }
                sent += bytes
                run.push(bytes)
            case 4..<7: run.advance(by: .milliseconds(Int.random(in: 0...60, using: &random)))
            case 7 where !toxics.isEmpty:
                // The same toxic with other settings.
                let index = toxics.indices.randomElement(using: &random) ?? 0
                toxics[index].attributes = ToxicSamples.randomAttributes(toxics[index].type, &random)
                try run.change(to: toxics)
            case 8 where !toxics.isEmpty:
                toxics.remove(at: toxics.indices.randomElement(using: &random) ?? 0)
                try run.change(to: toxics)
            case 9 where !hasEnded:
                hasEnded = true
                run.end()
            default: break
            }
        }

        /// Whether an end or a reset has come out, after which a flow gives its toxics nothing more.
        var isOver: Bool {
            run.output.contains {
                switch $0 {
                case .end, .reset: true
                case .chunk, .dropped, .record: false
                }
            }
        }

        /// Whether a toxic that makes more or less of bytes may have acted.
        var keepsCount: Bool {
            !run.output.contains {
                guard case .record(let record) = $0 else { return false }
                return record.type == "duplicate" || record.type == "replace"
            }
        }
    }

    @Test("Gives each byte and each end once, and no byte after an end", arguments: 0..<40)
    func conserves(_ group: Int) throws {
        for number in 0..<100 {
            let seed = UInt64(group * 100 + number + 1)
            var random = SplitMix64(seed: seed)
            let transport: Transport = number % 2 == 0 ? .tcp : .udp
            var drive = try Drive(transport, &random)
            for _ in 0..<Int.random(in: 1...40, using: &random) where !drive.isOver { try drive.step(&random) }
            // Time alone must bring out an end, but for toxics that hold without one. All settings are under a second or so.
            drive.run.advance(by: .seconds(600))
            let holdsForEver = drive.toxics.contains { $0.type == "timeout" && $0.attributes["timeout"] == .int(0) }
            if drive.hasEnded, !holdsForEver { #expect(drive.isOver, "seed \(seed) \(drive.toxics.map(\.name))") }
            let held = drive.run.chain.removeAll()
            if drive.keepsCount {
                #expect(drive.run.bytes.count + drive.run.dropped + held.bytes == drive.sent.count, "seed \(seed)")
            }
            checkOrder(drive.run.output, "seed \(seed) \(drive.toxics.map(\.name))")
        }
    }

    /// A chunk after an end would be lost, as its receiver is closed.
    ///
    /// A timeout that is removed ends the flow at once, whatever the toxics before it hold: the flow drops and counts that.
    private func checkOrder(_ output: [ToxicChain.Output], _ comment: Comment) {
        let end = output.firstIndex { if case .end = $0 { true } else { false } } ?? output.endIndex
        if end < output.endIndex, case .end(let closer?) = output[end], closer.configuration.type == "timeout" {
            return
        }
        let late = output[end...].contains { if case .chunk = $0 { true } else { false } }
        #expect(!late, comment)
    }
}
