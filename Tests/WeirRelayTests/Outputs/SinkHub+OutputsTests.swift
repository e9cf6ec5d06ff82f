import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Outputs that come to a hub and leave it", .timeLimit(.minutes(1)))
struct SinkHubOutputsTests {
    /// A sink of a line for each flow, with an interest of its own.
    private struct Flows: Sink {
        var interest = Interest.flows
        var messages = MessageInterest.none

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            output.append("\(record.flow.rawValue)\n")
        }
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func output(
        _ name: String,
        _ interest: Interest = .flows,
        _ messages: MessageInterest = .none
    ) throws(SystemError) -> SinkOutput {
        try SinkOutput(
            appendingTo: folder.path + "/" + name,
            sink: Flows(interest: interest, messages: messages),
            overflow: .drop
        )
    }

    private func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    private static func submit(_ flow: UInt64, to hub: SinkHub) {
        var batch = RecordBatch()
        batch.append(record(.opened, flow: flow))
        hub.submit(batch, lane: 0)
    }

    @Test("The hub wants what the most curious output wants, as long as that is there")
    func interest() async throws {
        let hub = try SinkHub(outputs: [], lanes: 1) { Issue.record("\($0)") }
        func state() -> String { "\(hub.interest) \(hub.messages) \(hub.showsEchoes)" }
        #expect(state() == "flows none false")
        let flows = try hub.add(output("flows"))
        #expect(state() == "flows none false")
        let chunks = try hub.add(output("chunks", .chunks, .summaries))
        #expect(state() == "chunks summaries true")
        let bytes = try hub.add(output("bytes", .bytes))
        let fields = try hub.add(output("fields", .chunks, .fields))
        #expect(state() == "bytes fields true")
        await hub.remove(bytes)
        #expect(state() == "chunks fields true")
        await hub.remove(fields)
        #expect(state() == "chunks summaries true")
        await hub.remove(chunks)
        #expect(state() == "flows none false")
        await hub.remove(flows)
        await hub.finish()
    }

    @Test("Of three outputs the middle one leaves: it has all until then, and the others go on")
    func middle() async throws {
        let hub = try SinkHub(outputs: [try output("a")], lanes: 1) { Issue.record("\($0)") }
        let middle = try hub.add(output("b"))
        Self.submit(1, to: hub)
        _ = try hub.add(output("c"))
        Self.submit(2, to: hub)
        #expect(hub.unfinished == ["a", "b", "c"].map { folder.path + "/" + $0 })
        await hub.remove(middle)
        #expect(try text("b") == "1\n2\n" && hub.unfinished == ["a", "c"].map { folder.path + "/" + $0 })
        Self.submit(3, to: hub)
        await hub.finish()
        #expect(try text("a") == "1\n2\n3\n" && text("b") == "1\n2\n" && text("c").hasSuffix("2\n3\n"))
        #expect(hub.unfinished == [] && !hub.isFull)
        let sizes = try ["a", "c"].map { try text($0).utf8.count }
        #expect(hub.bytesWritten == UInt64(sizes[0] + sizes[1]))
    }

    @Test("An output that fails knows how many others still work", arguments: [0, 1, 2])
    func othersLeft(count: Int) async throws {
        let reports = Reports()
        let hub = try SinkHub(
            outputs: try (0..<count).map { try output("\($0)") },
            lanes: 1
        ) { reports.add($0) }
        let leaving = try hub.add(output("leaving"))
        await hub.remove(leaving)
        _ = try hub.add(SinkOutput(name: "closed", sink: Flows(), descriptor: -1))
        Self.submit(1, to: hub)
        await hub.finish()
        let failures = reports.sinks.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
        #expect(failures == [SinkFailure(name: "closed", error: ErrorNumber(EBADF), othersLeft: count)])
    }

    @Test("A hub that never had an output takes records, and has nothing to finish")
    func none() async throws {
        let hub = try SinkHub(outputs: [], lanes: 1) { Issue.record("\($0)") }
        Self.submit(1, to: hub)
        #expect(hub.bytesWritten == 0 && !hub.isFull && hub.unfinished == [])
        await hub.finish()
    }
}
