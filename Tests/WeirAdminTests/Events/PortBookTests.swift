import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The ports of flows")
struct PortBookTests {
    private static let server = Endpoint(address: .loopbackV4, port: 80)

    private static func path(_ flow: UInt64, egress: UInt16? = nil, client: UInt32 = 0x7F00_0001) -> FlowPath {
        FlowPath(
            client: Endpoint(address: IPAddress(v4: client), port: UInt16(truncatingIfNeeded: 10_000 + flow)),
            listener: Endpoint(address: .loopbackV4, port: 8080),
            egress: egress.map { Endpoint(address: .loopbackV4, port: $0) },
            server: egress.map { _ in server }
        )
    }

    private static func notice(
        _ book: PortBook,
        _ flow: UInt64,
        _ happening: FlowRecord.Happening,
        _ path: FlowPath,
        _ transport: Transport = .tcp
    ) {
        let record = FlowRecord(
            flow: FlowID(flow),
            transport: transport,
            path: path,
            moment: Moment(wallNanoseconds: Int64(flow), instant: Instant(nanoseconds: 0)),
            happening: happening
        )
        book.notice(record)
    }

    private static let closed = FlowRecord.Happening.closed(
        CloseRecord(reason: .finished, upstream: Counters(), downstream: Counters(), duration: .zero)
    )

    private static func series(_ book: PortBook) -> [String] {
        book.reports(after: 0, limit: 100, OwnPortRanges()).reports.map { report in
            "\(report.key.side) \(report.key.client) \(report.statistics.samples)"
        }
    }

    @Test("The last 10,000 flows are listed by their numbers, in pages, and all are counted")
    func keepsLast() {
        let book = PortBook()
        for flow in UInt64(1)...25_000 {
            Self.notice(book, flow, .opened, Self.path(flow))
            if flow == 10_000 {
                let all = book.pairs(after: 0, limit: 10_000)
                #expect(all.pairs.map(\.flow) == Array(1...10_000) && all.flows == 10_000 && !all.isMore)
            }
        }
        let all = book.pairs(after: 0, limit: 20_000)
        #expect(all.pairs.map(\.flow) == Array(15_001...25_000) && all.flows == 25_000 && !all.isMore)
        let page = book.pairs(after: 15_005, limit: 3)
        #expect(page.pairs.map(\.flow) == [15_006, 15_007, 15_008] && page.isMore)
        let last = book.pairs(after: 24_998, limit: 2)
        #expect(
            last.pairs.map(\.flow) == [24_999, 25_000] && !last.isMore && last.pairs[1].openedWallNanoseconds == 25_000
        )
        #expect(book.pairs(after: 25_000, limit: 2).pairs.isEmpty)
    }

    @Test("A flow's path follows its dials, each new egress port is a choice, and its end is noted")
    func followsDials() throws {
        let book = PortBook()
        func pair() throws -> PortBook.Pair { try #require(book.pairs(after: 0, limit: 1).pairs.first) }
        Self.notice(book, 1, .opened, Self.path(1, egress: 40_000))
        #expect(try pair().path == Self.path(1, egress: 40_000) && pair().isOpen)
        #expect(Self.series(book) == ["client 127.0.0.1 1", "egress 127.0.0.1 1"])
        // The dial that succeeds is the one of `opened`, or another one.
        Self.notice(book, 1, .connected(dial: .zero, isRerouted: false), Self.path(1, egress: 40_000))
        #expect(Self.series(book) == ["client 127.0.0.1 1", "egress 127.0.0.1 1"])
        Self.notice(book, 1, .refused(.connectionRefused), Self.path(1, egress: 40_001))
        Self.notice(book, 1, .connected(dial: .zero, isRerouted: true), Self.path(1, egress: 40_002))
        #expect(Self.series(book) == ["client 127.0.0.1 1", "egress 127.0.0.1 3"])
        #expect(try pair().path == Self.path(1, egress: 40_002) && pair().isOpen)
        Self.notice(book, 1, Self.closed, Self.path(1, egress: 40_002))
        #expect(try !pair().isOpen && pair().path == Self.path(1, egress: 40_002))
        // A flow that is not known leaves no trace.
        Self.notice(book, 2, .connected(dial: .zero, isRerouted: true), Self.path(2, egress: 40_003))
        Self.notice(book, 2, Self.closed, Self.path(2))
        #expect(Self.series(book) == ["client 127.0.0.1 1", "egress 127.0.0.1 3"])
        #expect(book.pairs(after: 0, limit: 9).pairs.count == 1)
    }

    @Test("Reports come in pages too, and choices for which there is no room are counted")
    func pagesReports() {
        let book = PortBook()
        for flow in UInt64(1)...3 {
            Self.notice(book, flow, .opened, Self.path(flow, client: 0x7F00_0000 + UInt32(flow)))
        }
        func page(_ number: Int, _ limit: Int) -> String {
            let (reports, leftOut, isMore) = book.reports(after: number, limit: limit, OwnPortRanges())
            return "\(reports.map { "\($0.key.client)" }) \(leftOut) \(isMore)"
        }
        #expect(page(0, 2) == #"["127.0.0.1", "127.0.0.2"] 0 true"#)
        #expect(page(2, 2) == #"["127.0.0.3"] 0 false"#)
        #expect(page(0, 3) == #"["127.0.0.1", "127.0.0.2", "127.0.0.3"] 0 false"#)
        #expect(page(3, 1) == "[] 0 false")
    }

    @Test("4,096 series and 65,536 choices are kept")
    func boundsChoices() {
        let (many, few) = (PortBook(), PortBook())
        for flow in UInt64(1)...4100 {
            Self.notice(many, flow, .opened, Self.path(flow, client: 0x7F00_0000 + UInt32(flow)))
        }
        let series = many.reports(after: 4090, limit: 100, OwnPortRanges())
        #expect(series.reports.count == 6 && series.leftOut == 4)
        // Not the client's port 0, which is none.
        for flow in UInt64(1)...65_541 { Self.notice(few, flow, .opened, Self.path(flow)) }
        #expect(few.reports(after: 1, limit: 1, OwnPortRanges()).leftOut == 4)
    }
}
