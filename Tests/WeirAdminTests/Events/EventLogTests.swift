import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The log of events")
struct EventLogTests {
    private static let flows = EventFilter()
    private static let chunks = EventFilter(events: ["data"])
    private static let both = EventFilter(events: ["open", "data"])

    private static var record: FlowRecord {
        let endpoint = Endpoint(address: .loopbackV4, port: 1)
        return FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: FlowPath(client: endpoint, listener: endpoint),
            moment: Moment(wallNanoseconds: 0, instant: Instant(nanoseconds: 0)),
            happening: .opened
        )
    }

    private static func add(_ count: Int, _ name: String, to log: EventLog, size: Int = 2) {
        for _ in 0..<count { log.append(record, name: name, text: [UInt8](repeating: 0x20, count: size)) }
    }

    /// Reads once, from behind an event.
    private static func read(
        _ log: EventLog,
        after: UInt64,
        limit: Int = 100,
        _ filter: EventFilter = flows
    ) -> (ids: [UInt64], last: UInt64, loss: EventLog.Loss) {
        var cursor = EventLog.Cursor(last: after)
        let (events, loss) = log.events(&cursor, limit: limit, for: filter)
        return (events.map(\.id), cursor.last, loss)
    }

    @Test("A listener that comes too late is told how many events are gone")
    func tellsLosses() {
        let log = EventLog(bound: 10, bytes: 1000)
        Self.add(25, "open", to: log)
        let late = Self.read(log, after: 3)
        #expect(late.ids == Array(16...25) && late.last == 25 && late.loss == .init(flows: 12))
        #expect(Self.read(log, after: 20, limit: 2).ids == [21, 22])
        #expect(Self.read(log, after: 20, limit: 2).last == 22)
        #expect(Self.read(log, after: 25, limit: 2).ids.isEmpty)
        Self.add(1, "open", to: log, size: 990)
        #expect(Self.read(log, after: 0).ids.count <= 6)
    }

    @Test("Chunks push no other event out, and a loss is told by its kind, to those that want the kind")
    func keepsKindsApart() {
        let log = EventLog(bound: 10, bytes: 1000)
        Self.add(4, "open", to: log)
        Self.add(100, "data", to: log)
        Self.add(2, "close", to: log)
        let flows = Self.read(log, after: 0)
        #expect(flows.ids == [1, 2, 3, 4, 105, 106] && flows.last == 106 && flows.loss == .init())
        let chunks = Self.read(log, after: 2, Self.chunks)
        #expect(chunks.ids == Array(95...104) && chunks.last == 106 && chunks.loss == .init(chunks: 90))
        #expect(chunks.loss.total == 90)
        #expect(Self.read(log, after: 50, Self.chunks).loss == .init(chunks: 44))
        Self.add(15, "open", to: log)
        let both = Self.read(log, after: 2, Self.both)
        #expect(both.ids == Array(95...104) + Array(112...121))
        #expect(both.loss == .init(flows: 9, chunks: 90))
    }

    @Test(
        "The very first event is lost as well, of either kind",
        arguments: [("open", EventLog.Loss(flows: 1)), ("data", .init(chunks: 1))]
    )
    func losesFirst(name: String, loss: EventLog.Loss) {
        let log = EventLog(bound: 1, bytes: 1000)
        Self.add(2, name, to: log)
        let read = Self.read(log, after: 0, Self.both)
        #expect(read.ids == [2] && read.last == 2 && read.loss.total == 1)
        #expect(read.loss.flows == loss.flows && read.loss.chunks == loss.chunks && read.loss.unknown == 0)
    }

    @Test("A log keeps 8,192 events of each kind")
    func keepsMany() {
        let log = EventLog()
        Self.add(8193, "open", to: log, size: 0)
        #expect(Self.read(log, after: 0, limit: 10_000).ids.count == 8192)
        #expect(Self.read(log, after: 0, limit: 10_000).loss == .init(flows: 1))
    }

    @Test("However a listener reads, what it gets and what it lost is all that there was", arguments: [1, 2, 7, 64])
    func addsUp(limit: Int) {
        var random = SplitMix64(seed: UInt64(limit))
        let log = EventLog(bound: 20, bytes: 10_000)
        var (cursor, got, loss, added) = (EventLog.Cursor(last: 0), [UInt64](), EventLog.Loss(), (flows: 0, chunks: 0))
        for _ in 0..<200 {
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                let isChunk = Int.random(in: 0...3, using: &random) > 0
                Self.add(1, isChunk ? "data" : "open", to: log)
                if isChunk { added.chunks += 1 } else { added.flows += 1 }
            }
            for _ in 0..<Int.random(in: 0...9, using: &random) {
                let (events, more) = log.events(&cursor, limit: limit, for: Self.both)
                got += events.map(\.id)
                (loss.flows, loss.chunks) = (loss.flows + more.flows, loss.chunks + more.chunks)
            }
        }
        while true {
            let before = cursor.last
            let (events, more) = log.events(&cursor, limit: limit, for: Self.both)
            got += events.map(\.id)
            (loss.flows, loss.chunks) = (loss.flows + more.flows, loss.chunks + more.chunks)
            if cursor.last == before { break }
        }
        #expect(got == got.sorted() && Set(got).count == got.count)
        #expect(got.count + Int(loss.total) == added.flows + added.chunks)
        #expect(loss.unknown == 0 && Int(loss.flows) <= added.flows && Int(loss.chunks) <= added.chunks)
    }

    @Test("Of more than the last million the kinds are not known, and that is said")
    func forgetsKinds() {
        var kinds = EventKinds()
        for number in 0..<(1 << 20) + 100 { _ = kinds.add(isChunk: number % 2 == 0) }
        let (chunks, others, unknown) = kinds.count(after: 40, through: kinds.newest)
        #expect(unknown == 60 && chunks == 1 << 19 && others == 1 << 19)
        #expect(kinds.count(after: 10, through: 20) == (0, 0, 10))
        #expect(kinds.count(after: 7, through: 7) == (0, 0, 0))
    }

    @Test("A client that knows another instance's events is told, and gets all that there is")
    func tellsRestart() throws {
        let log = EventLog()
        Self.add(3, "open", to: log)
        let place = try #require(log.listen(.flows, bound: 1))
        func start(_ text: String?) -> String {
            let (cursor, isRestart) = place.start(text.flatMap { EventID($0) }, in: log.instance)
            return "\(cursor.last)\(isRestart ? " restart" : "")"
        }
        #expect(start(nil) == "3" && start("0") == "0" && start("2") == "2")
        #expect(start("\(log.instance)-2") == "2" && start("\(log.instance)-0") == "0")
        #expect(start("\(EventLog().instance)-2") == "0 restart" && start("4") == "0 restart")
        #expect(log.instance.utf8.count == 16 && log.instance != EventLog().instance)
    }

    @Test("What was there before a client that asks for all of it is no loss, what goes while it reads is one")
    func knowsNoLossBefore() throws {
        let log = EventLog(bound: 10, bytes: 1000)
        Self.add(25, "open", to: log)
        Self.add(25, "data", to: log)
        let place = try #require(log.listen(.chunks, bound: 1))
        var cursor = place.start(EventID("0"), in: log.instance).cursor
        Self.add(5, "open", to: log)
        let (events, loss) = log.events(&cursor, limit: 100, for: Self.both)
        #expect(events.map(\.id) == Array(21...25) + Array(41...50) + Array(51...55))
        #expect(loss == .init(flows: 5))
        // One that came back after a restart has missed them.
        var other = place.start(EventID("0000000000000000-7"), in: log.instance).cursor
        #expect(log.events(&other, limit: 100, for: Self.both).loss == .init(flows: 20, chunks: 15))
    }

    @Test(
        "An ID is an instance and a number, or a number",
        arguments: [
            ("7", nil, 7), ("ab-7", "ab", 7), ("0", nil, 0), ("", nil, nil), ("-7", nil, nil), ("ab-", nil, nil),
            ("a-b-7", nil, nil), ("+7", nil, nil), ("x", nil, nil), ("9999999999999999999", nil, nil),
        ] as [(String, String?, UInt64?)]
    )
    func readsIDs(text: String, instance: String?, number: UInt64?) {
        #expect(EventID(text) == number.map { EventID(instance: instance, number: $0) })
    }
}
