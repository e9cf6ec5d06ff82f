import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Every toxic of the table")
struct ToxicsTests {
    private static let names = Toxics.all.map(\.name)
    /// Lists the types that make more or fewer bytes of what comes.
    private static let changesLengths: Set = ["replace", "duplicate"]

    private func type(_ name: String) throws -> ToxicType { try #require(Toxics.type(named: name)) }

    private func transports(_ name: String) throws -> [Transport] { try type(name).transports }

    @Test("Names are unique, as in the control API")
    func unique() {
        #expect(Set(Self.names).count == Self.names.count)
        #expect(Self.names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
        let known: Set = [
            "latency", "bandwidth", "timeout", "reset_peer", "slicer", "limit_data", "slow_close", "noop",
            "packet_loss",
        ]
        #expect(known.isSubset(of: Self.names))
    }

    @Test("It says what it does, and what each setting does", arguments: names)
    func help(_ name: String) throws {
        let type = try type(name)
        #expect(type.summary.hasSuffix("."))
        #expect(!type.transports.isEmpty)
        #expect(Set(type.fields.map(\.name)).count == type.fields.count)
        for field in type.fields {
            #expect(!field.help.isEmpty)
            switch (field.kind, field.default) {
            case (.integer, .int), (.number, .double), (.text, .string): break
            default: Issue.record("\(field.name) has a default of another kind")
            }
        }
    }

    @Test("Settings are completed with the defaults, whole numbers stay whole", arguments: names)
    func complete(_ name: String) throws {
        let complete = try ToxicSamples.configuration(name).validated()
        let type = try type(name)
        #expect(Set(complete.attributes.keys) == Set(type.fields.map(\.name)))
        #expect(complete.orderedAttributes.map(\.name) == type.fields.map(\.name))
        for (field, attribute) in zip(type.fields, complete.orderedAttributes) {
            switch (field.kind, attribute.value) {
            case (.integer, .int), (.number, .double), (.text, .string): break
            default: Issue.record("\(field.name) is \(attribute.value)")
            }
        }
        #expect(try complete.validated() == complete)
    }

    @Test("Bad settings are refused with the field and the reason", arguments: names)
    func refused(_ name: String) throws {
        let type = try type(name)
        #expect(throws: ToxicError.self) { try type.completed(["no_such_field": .int(1)]) }
        for field in type.fields {
            var bad: [ToxicValue] = field.kind == .text ? [.int(1)] : [.string("many"), .bool(true)]
            if let range = field.range {
                bad += [.double(range.lowerBound - 1), .double(range.upperBound + 1)]
                if field.kind == .integer { bad.append(.double(0.5)) }
            }
            for value in bad {
                var attributes = ToxicSamples.attributes[name] ?? [:]
                attributes[field.name] = value
                let error = #expect(throws: ToxicError.self, "\(field.name) = \(value)") {
                    try ToxicConfiguration(name, attributes: attributes).validated()
                }
                #expect(error?.field == field.name)
                #expect(error?.reason.isEmpty == false)
            }
        }
    }

    @Test("The same seed gives the same result, and chunks of any size pass or are counted", arguments: names)
    func seeded(_ name: String) throws {
        for transport in try transports(name) {
            var outputs: [String] = []
            for _ in 0..<2 {
                let run = try Self.run(name, over: transport, seed: 9)
                outputs.append(run.output.map(\.description).joined(separator: "\n"))
            }
            #expect(outputs[0] == outputs[1])
        }
    }

    @Test("No byte is lost uncounted, and a stream is never reordered", arguments: names)
    func conserves(_ name: String) throws {
        for transport in try transports(name) {
            for seed in UInt64(1)...20 {
                var run = try Self.run(name, over: transport, seed: seed)
                run.end()
                for _ in 0..<2000 { run.advance(by: .milliseconds(10)) }
                let held = run.chain.stages.reduce(0) { $0 + $1.queue.bytes }
                #expect(held == 0)
                if !Self.changesLengths.contains(name) {
                    #expect(run.bytes.count + run.dropped == Self.input.joined().count)
                }
                if transport == .tcp, !Self.changesLengths.contains(name), name != "corrupt", run.dropped == 0 {
                    #expect(run.bytes == Array(Self.input.joined()))
                }
            }
        }
    }

    @Test("Removal lets go everything that is held, at once and in order", arguments: names)
    func removal(_ name: String) throws {
        for transport in try transports(name) {
            for seed in UInt64(1)...20 {
                var run = try Self.run(name, over: transport, seed: seed)
                try run.change(to: [])
                #expect(run.chain.stages.isEmpty)
                if !Self.changesLengths.contains(name) {
                    #expect(run.bytes.count + run.dropped == Self.input.joined().count)
                }
                if transport == .tcp, !Self.changesLengths.contains(name), name != "corrupt", run.dropped == 0 {
                    #expect(run.bytes == Array(Self.input.joined()))
                }
                // What comes from now on passes.
                run.push([1, 2, 3])
                #expect(run.chunks.last?.bytes == [1, 2, 3])
            }
        }
    }

    @Test("A change of the settings loses no byte, and reorders no stream", arguments: names)
    func change(_ name: String) throws {
        for transport in try transports(name) {
            for seed in UInt64(1)...20 {
                var run = try Self.run(name, over: transport, seed: seed)
                var changed = ToxicSamples.configuration(name)
                changed.toxicity = 0.5
                try run.change(to: [changed])
                run.end()
                for _ in 0..<2000 { run.advance(by: .milliseconds(10)) }
                if !Self.changesLengths.contains(name) {
                    #expect(run.bytes.count + run.dropped == Self.input.joined().count)
                }
                if transport == .tcp, !Self.changesLengths.contains(name), name != "corrupt", run.dropped == 0 {
                    #expect(run.bytes == Array(Self.input.joined()))
                }
            }
        }
    }

    @Test("With a toxicity of 0 it changes nothing", arguments: names)
    func notToxic(_ name: String) throws {
        for transport in try transports(name) {
            var configuration = ToxicSamples.configuration(name)
            configuration.toxicity = 0
            var run = try ChainRun([configuration], over: transport)
            for bytes in Self.input { run.push(bytes) }
            #expect(run.chunks.map(\.bytes) == Self.input)
            #expect(run.chain.isClear)
        }
    }

    /// Holds chunks of 0, 1 and 65,535 bytes among others, all of which say where they belong.
    private static let input: [[UInt8]] = {
        var count = 0
        return [1, 0, 1, 65_535, 300, 0, 1400, 7].map { length in
            defer { count += length }
            return (count..<(count + length)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        }
    }()

    private static func run(_ name: String, over transport: Transport, seed: UInt64) throws -> ChainRun {
        var run = try ChainRun([ToxicSamples.configuration(name)], over: transport, seed: seed)
        for bytes in input {
            run.push(bytes)
            run.advance(by: .milliseconds(3))
        }
        return run
    }
}
