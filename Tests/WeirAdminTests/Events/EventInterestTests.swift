import Support
import Testing
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

@testable import WeirAdmin

@Suite("Listeners of the log of events", .timeLimit(.minutes(1)))
struct EventInterestTests {
    private static func waitUntil(_ isDone: () -> Bool) async {
        let deadline = Deadline()
        while !isDone(), !deadline.isOver { await Task.yield() }
        #expect(isDone())
    }

    @Test("What is recorded follows what listeners want, and those that left shortly before; each change is told once")
    func followsListeners() async throws {
        let (log, changes) = (EventLog(lingering: .zero), Lock(0))
        log.whenInterestChanges { changes.withLock { $0 += 1 } }
        func state() -> String { "\(log.interest) \(changes.withLock { $0 })" }
        #expect(state() == "flows 0")
        let flows = try #require(log.listen(.flows, bound: 9))
        #expect(state() == "flows 0")
        let chunks = try #require(log.listen(.chunks, bound: 9))
        #expect(state() == "chunks 1")
        let bytes = try #require(log.listen(.bytes, bound: 9))
        #expect(state() == "bytes 2")
        let more = try #require(log.listen(.bytes, bound: 9))
        #expect(state() == "bytes 2" && log.listeners == 4)
        log.leave(flows)
        log.leave(bytes)
        log.leave(more)
        #expect(log.listeners == 1)
        await Self.waitUntil { state() == "chunks 3" }
        log.leave(chunks)
        await Self.waitUntil { state() == "flows 4" }
        #expect(log.listeners == 0)
    }

    @Test("Messages need the chunks in which they are, which are then not recorded for themselves")
    func messages() async throws {
        let (log, changes) = (EventLog(lingering: .zero), Lock(0))
        log.whenInterestChanges { changes.withLock { $0 += 1 } }
        func state() -> String { "\(log.interest) \(log.dataInterest) \(log.messages) \(changes.withLock { $0 })" }
        let first = try #require(log.listen(.flows, messages: .summaries, bound: 9))
        #expect(state() == "chunks flows summaries 1")
        let second = try #require(log.listen(.bytes, messages: .summaries, bound: 9))
        #expect(state() == "bytes bytes summaries 2")
        var sink = EventSink(log)
        #expect(sink.interest == .bytes && sink.messages == .summaries)
        log.leave(second)
        await Self.waitUntil { state() == "chunks flows summaries 3" }
        var output = WeirWire.ByteBuffer()
        sink.render(Support.record(.message(Message())), bytes: RawSpan(), into: &output)
        sink.render(Support.record(Support.chunk(.upstream, at: 0, 3)), bytes: RawSpan(), into: &output)
        var cursor = EventLog.Cursor(last: 0)
        let filter = EventFilter(events: ["data", "message"])
        #expect(log.events(&cursor, limit: 9, for: filter).events.map(\.name) == ["message"])
        log.leave(first)
        await Self.waitUntil { state() == "flows flows none 4" }
    }

    @Test("Chunks are still wanted for half a minute after their listener has left")
    func lingers() async throws {
        let log = EventLog()
        log.leave(try #require(log.listen(.bytes, bound: 1)))
        for _ in 0..<100 { await Task.yield() }
        #expect(log.interest == .bytes && log.listeners == 0)
    }

    @Test("There is room for so many listeners, each with its own bell, and for none once the log is closed")
    func boundsListeners() async throws {
        let log = EventLog()
        #expect(log.listen(.flows, bound: 0) == nil)
        let first = try #require(log.listen(.flows, bound: 2))
        let second = try #require(log.listen(.flows, bound: 2))
        #expect(log.listen(.flows, bound: 2) == nil && log.listeners == 2 && first.number != second.number)
        log.leave(first)
        #expect(log.listeners == 1)
        log.append(Self.record(.opened), name: "open", text: [])
        var bell = second.bell.makeAsyncIterator()
        #expect(await bell.next() != nil)
        log.close()
        #expect(await bell.next() == nil && log.listeners == 0)
        #expect(log.listen(.flows, bound: 2) == nil)
    }

    @Test("A listener is moved on over what it does not want, so many events at a time")
    func movesOn() {
        let log = EventLog()
        for number in 1...100 { log.append(Self.record(.opened), name: number == 60 ? "close" : "open", text: []) }
        var cursor = EventLog.Cursor(last: 0)
        let filter = EventFilter(events: ["close"])
        let reads = (0..<6).map { _ in
            let (events, loss) = log.events(&cursor, limit: 5, for: filter)
            return "\(cursor.last) \(events.map(\.id)) \(loss.total)"
        }
        #expect(reads == ["20 [] 0", "40 [] 0", "60 [60] 0", "80 [] 0", "100 [] 0", "100 [] 0"])
    }

    @Test("A listener that knows the newest event begins behind it, and a loss is of three kinds")
    func beginsBehindNewest() throws {
        let log = EventLog()
        for _ in 0..<3 { log.append(Self.record(.opened), name: "open", text: []) }
        let place = try #require(log.listen(.flows, bound: 1))
        let (cursor, isRestart) = place.start(EventID(number: 3), in: log.instance)
        #expect(cursor.last == 3 && !isRestart)
        #expect(EventLog.Loss(flows: 1, chunks: 2, unknown: 4).total == 7 && EventLog.Loss().total == 0)
    }

    @Test("Each log has a name of 16 hexadecimal digits")
    func namesLogs() {
        let names = (0..<50).map { _ in EventLog().instance }
        #expect(Set(names).count == 50)
        #expect(names.allSatisfy { $0.utf8.count == 16 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    }

    @Test("An ID has 18 digits at most")
    func boundsIDs() {
        let digits = String(repeating: "9", count: 18)
        #expect(EventID(digits)?.number == 999_999_999_999_999_999 && EventID(digits + "9") == nil)
        #expect(EventID("a-\(digits)")?.instance == "a" && EventID("a-\(digits)9") == nil)
    }

    // MARK: - The sink

    private static func record(_ happening: FlowRecord.Happening) -> FlowRecord {
        FlowRecord(
            flow: FlowID(5),
            transport: .tcp,
            path: Playbook.path,
            moment: ManualClock.start,
            happening: happening
        )
    }

    private static func chunk(_ direction: Direction) -> FlowRecord.Happening {
        .forwarded(
            ChunkRecord(direction: direction, number: 0, offset: 0, length: 2, receivedAt: ManualClock.start.instant)
        )
    }

    private static func render(_ happening: FlowRecord.Happening, for interest: Interest) throws -> [EventLog.Event] {
        let log = EventLog()
        _ = try #require(log.listen(interest, bound: 1))
        var sink = EventSink(log)
        var output = ByteBuffer()
        #expect(sink.interest == interest)
        // Twice: nothing of the first is left in the second.
        for _ in 0..<2 { sink.render(record(happening), bytes: ([0x68, 0x69] as [UInt8]).span.bytes, into: &output) }
        // A message comes behind the record after it.
        if case .message = happening { sink.render(record(.opened), bytes: RawSpan(), into: &output) }
        #expect(output.string.isEmpty)
        var cursor = EventLog.Cursor(last: 0)
        return log.events(&cursor, limit: 9, for: EventFilter(events: Set(EventFilter.names))).events
    }

    @Test(
        "Records become events with the object of the log, chunks only for those that want them, bytes likewise",
        arguments: [Interest.flows, .chunks, .bytes]
    )
    func rendersRecords(interest: Interest) throws {
        let opened = try Self.render(.opened, for: interest)
        var plain = JSONLinesSink(withBytes: false)
        var output = ByteBuffer()
        plain.render(Self.record(.opened), bytes: [UInt8]().span.bytes, into: &output)
        #expect(opened.map { String(decoding: $0.text, as: UTF8.self) + "\n" } == [output.string, output.string])
        #expect(opened.map(\.id) == [1, 2] && opened.allSatisfy { $0.name == "open" && $0.flow == 5 })
        #expect(opened.allSatisfy { $0.textWithBytes == nil && $0.direction == nil && $0.path == Playbook.path })
        let chunks = try Self.render(Self.chunk(.upstream), for: interest)
        #expect(chunks.count == (interest == .flows ? 0 : 2))
        for event in chunks {
            #expect(event.name == "data" && event.direction == .upstream && event.isChunk)
            let (text, withBytes) = (
                String(decoding: event.text, as: UTF8.self),
                event.textWithBytes.map { String(decoding: $0, as: UTF8.self) }
            )
            #expect(!text.contains("\"bytes\"") && text.hasPrefix("{\"time\":") && text.hasSuffix("}"))
            #expect((withBytes != nil) == (interest == .bytes))
            #expect(withBytes?.contains("\"bytes\":\"aGk=\"") ?? true)
            // The two bytes are also kept as they are, for queries to search.
            #expect(event.size == text.utf8.count + (withBytes.map { $0.utf8.count + 2 } ?? 0))
        }
    }

    @Test("The direction of a record is the one that its object has, and none if that has none")
    func readsDirections() throws {
        for direction in Direction.allCases {
            let drop = DropRecord(direction: direction, bytes: 1, reason: .reset)
            for happening in [
                Self.chunk(direction), .ended(direction), .endForwarded(direction), .dropped(drop),
                Sample.toxic(direction, .removed), Sample.message(direction),
            ] {
                #expect(happening.direction == direction)
                let text = try Self.text(happening)
                #expect(text.contains(#","direction":"\#(direction)""#))
            }
            #expect(FlowRecord.Happening.received(Sample.tampered(direction, at: 0, 1)).direction == direction)
        }
        let others: [FlowRecord.Happening] = [
            .opened, .connected(dial: .zero, isRerouted: false), .refused(.timedOut), .mismatch(.refused),
            Sample.closed(Counters(), Counters()),
        ]
        for happening in others {
            let text = try Self.text(happening)
            #expect(happening.direction == nil && !text.contains("direction"))
        }
    }

    /// Renders the object of a record.
    private static func text(_ happening: FlowRecord.Happening) throws -> String {
        let name = happening.eventName.description
        let event = try render(happening, for: .bytes).first { $0.name == name }
        return String(decoding: try #require(event).text, as: UTF8.self)
    }

    @Test("What came to toxics is no event, whatever listeners want", arguments: [Interest.flows, .chunks, .bytes])
    func noOriginals(interest: Interest) throws {
        #expect(try Self.render(.received(Sample.tampered(at: 0, 2)), for: interest).isEmpty)
    }

    @Test("What listeners want is known exactly after many have come and gone")
    func comesBack() async throws {
        let log = EventLog(lingering: .zero)
        func state() -> String { "\(log.interest) \(log.dataInterest) \(log.messages)" }
        for _ in 0..<3 {
            for (interest, messages, expected) in [
                (Interest.chunks, MessageInterest.none, "chunks chunks none"),
                (.bytes, .summaries, "bytes bytes summaries"), (.flows, .summaries, "chunks flows summaries"),
                (.flows, .fields, "chunks flows fields"),
            ] {
                let place = try #require(log.listen(interest, messages: messages, bound: 1))
                #expect(state() == expected)
                log.leave(place)
                await Self.waitUntil { state() == "flows flows none" }
            }
        }
    }

    @Test("A closed log lets go of those to whom it told what is wanted")
    func letsGo() {
        final class Relay: Sendable {}
        let log = EventLog()
        weak var relay: Relay?
        do {
            let held = Relay()
            relay = held
            log.whenInterestChanges { withExtendedLifetime(held) {} }
        }
        #expect(relay != nil)
        log.close()
        #expect(relay == nil)
    }
}
