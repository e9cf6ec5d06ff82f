import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The text of a stream of events", .timeLimit(.minutes(1)))
struct EventStreamWritingTests {
    /// A writer that keeps what is written, part by part.
    private final class Written: AnswerWriter {
        private let state = Lock([String]())

        func write(_ bytes: [UInt8]) async throws {
            state.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }

        var parts: [String] { state.withLock { $0 } }

        func wait(for count: Int) async {
            let deadline = Deadline()
            while parts.count < count, !deadline.isOver { await Task.yield() }
        }
    }

    private static let head = ": weir\nretry: 1000\n\n"

    private static func add(_ text: String, to log: EventLog, flow: UInt64 = 1, withBytes: String? = nil) {
        let record = FlowRecord(
            flow: FlowID(flow),
            transport: .tcp,
            path: Playbook.path,
            moment: ManualClock.start,
            happening: .opened
        )
        let name = withBytes == nil ? "open" : "data"
        log.append(record, name: name, text: Array(text.utf8), textWithBytes: withBytes.map { Array($0.utf8) })
    }

    private static func stream(
        _ log: EventLog,
        after id: EventID?,
        limit: Int?,
        _ filter: EventFilter = EventFilter()
    ) throws -> EventStream {
        let place = try #require(log.listen(filter.interest, bound: 9))
        let (cursor, isRestart) = place.start(id, in: log.instance)
        return EventStream(log: log, place: place, filter: filter, cursor: cursor, isRestart: isRestart, left: limit)
    }

    @Test("What is there already comes at once, up to the limit, and then the stream ends")
    func endsAtLimit() async throws {
        let (log, written) = (EventLog(), Written())
        for text in ["{1}", "{2}", "{3}"] { Self.add(text, to: log) }
        let start = ContinuousClock.now
        try await Self.stream(log, after: EventID(number: 0), limit: 2).run(written)
        // Sooner than the next comment for a silent client.
        #expect(ContinuousClock.now - start < .seconds(4) && log.listeners == 0)
        let name = log.instance
        let events = "id: \(name)-1\nevent: open\ndata: {1}\n\nid: \(name)-2\nevent: open\ndata: {2}\n\n"
        #expect(written.parts == [Self.head, events])
    }

    @Test("A client of another relay is told that, and what is gone of each kind")
    func tellsLosses() async throws {
        let (log, written) = (EventLog(bound: 2), Written())
        for text in ["{1}", "{2}", "{3}", "{4}", "{5}"] { Self.add(text, to: log) }
        for text in ["{6}", "{7}", "{8}"] { Self.add(text, to: log, withBytes: text) }
        let other = EventID(instance: "0123456789abcdef", number: 4)
        try await Self.stream(log, after: other, limit: 4, EventFilter(events: ["open", "data"])).run(written)
        let name = log.instance
        let restart = "id: \(name)-0\nevent: restart\ndata: {\"event\":\"restart\",\"instance\":\"\(name)\"}\n\n"
        let lost = "event: lost\ndata: {\"event\":\"lost\",\"events\":4,\"flows\":3,\"chunks\":1}\n\n"
        let open = (4...5).map { "id: \(name)-\($0)\nevent: open\ndata: {\($0)}\n\n" }.joined()
        let data = (7...8).map { "id: \(name)-\($0)\nevent: data\ndata: {\($0)}\n\n" }.joined()
        #expect(written.parts == [Self.head, restart, lost + open + data])
    }

    @Test("Each number of events that are gone is told, and nothing if none is", arguments: 0...3)
    func tellsEachLoss(count: Int) async throws {
        let (log, written) = (EventLog(bound: 2), Written())
        for number in 1...(3 + count) { Self.add("{\(number)}", to: log) }
        // A client that knows none has lost none: this one knows the first.
        try await Self.stream(log, after: EventID(number: 1), limit: 2).run(written)
        let name = log.instance
        let lost = "event: lost\ndata: {\"event\":\"lost\",\"events\":\(count),\"flows\":\(count),\"chunks\":0}\n\n"
        let events = (2...3).map { "id: \(name)-\(count + $0)\nevent: open\ndata: {\(count + $0)}\n\n" }.joined()
        #expect(written.parts == [Self.head, (count > 0 ? lost : "") + events])
    }

    @Test("A client for which there is nothing gets a comment, and each event as it comes; bytes go if they are wanted")
    func followsLog() async throws {
        let (log, written) = (EventLog(), Written())
        Self.add("{other}", to: log, flow: 2)
        var filter = EventFilter(events: ["open", "data"], flow: 1)
        filter.wantsBytes = true
        let stream = try Self.stream(log, after: EventID(number: 0), limit: 3, filter)
        let running = Task { try await stream.run(written) }
        await written.wait(for: 2)
        for (index, text) in ["{2}", "{3}", "{4}"].enumerated() {
            Self.add(text, to: log, withBytes: index == 1 ? "{3 with bytes}" : nil)
            await written.wait(for: 3 + index)
        }
        try await running.value
        let name = log.instance
        let expected = [
            Self.head, ":\n\n", "id: \(name)-2\nevent: open\ndata: {2}\n\n",
            "id: \(name)-3\nevent: data\ndata: {3 with bytes}\n\n", "id: \(name)-4\nevent: open\ndata: {4}\n\n",
        ]
        #expect(written.parts == expected)
    }

    @Test("A stream without a limit takes hundreds of events in parts, and ends with the log")
    func endsWithLog() async throws {
        let (log, written) = (EventLog(), Written())
        for number in 1...600 { Self.add("{\(number)}", to: log) }
        let stream = try Self.stream(log, after: EventID(number: 0), limit: nil)
        let running = Task { try await stream.run(written) }
        await written.wait(for: 4)
        log.close()
        try await running.value
        let counts = written.parts.map { $0.ranges(of: "event: open").count }
        #expect(counts == [0, 256, 256, 88])
    }
}
