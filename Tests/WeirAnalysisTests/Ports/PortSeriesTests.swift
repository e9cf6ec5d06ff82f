import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Series of ports")
struct PortSeriesTests {
    private static func destination(_ number: Int) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0x0a00_0000 + UInt32(number)), port: 443)
    }

    /// Adds choices for so many destinations in turn, three rounds.
    private static func series(_ count: Int) -> PortSeries {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp, side: .direct))
        for choice in 0..<(3 * count) {
            series.add(UInt16(1000 + choice), to: destination(choice % count), at: Int64(choice))
        }
        return series
    }

    @Test("Each destination is held once, however many there are", arguments: 1...12)
    func destinations(_ count: Int) {
        let series = Self.series(count)
        #expect(series.destinations == (0..<count).map(Self.destination))
        #expect((0..<series.count).map { series.destination($0) } == (0..<(3 * count)).map { $0 % count })
        #expect(PortAnalysis.report(series, range: nil).statistics.destinations == count)
    }

    @Test("Keys that differ in one part have different hashes, so that a table finds each at once")
    func keys() {
        var keys: [PortSeriesKey] = []
        for client in [IPAddress.loopbackV4, .loopbackV6] {
            for transport in [Transport.tcp, .udp] {
                for side in PortSide.allCases { keys.append(.init(client: client, transport: transport, side: side)) }
            }
        }
        #expect(Set(keys).count == 12 && Set(keys.map(\.hashValue)).count == 12)
    }

    @Test("A destination that is known is found again whichever came last", arguments: 3...7)
    func known(_ count: Int) {
        for again in 0..<count {
            var series = Self.series(count)
            series.add(9, to: Self.destination(again), at: nil)
            series.add(9, to: Self.destination(count), at: nil)
            series.add(9, to: Self.destination(again), at: nil)
            let places = (series.count - 3..<series.count).map { series.destination($0) }
            #expect(places == [again, count, again] && series.destinations.count == count + 1)
        }
    }

    @Test("Is sorted by time, what has one time in the order in which it came, and has no time beyond its end")
    func sorted() {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for (port, time) in [(1, 5), (2, 3), (3, 5), (4, 3), (5, nil)] as [(UInt16, Int64?)] {
            series.add(port, to: Self.destination(Int(port)), at: time)
        }
        #expect((0..<6).map { series.time($0) } == [5, 3, 5, 3, nil, nil])
        let sorted = series.sorted()
        #expect(sorted.ports == [5, 2, 4, 1, 3])
        #expect((0..<5).map { sorted.time($0) } == [nil, 3, 3, 5, 5])
        #expect((0..<5).map { sorted.destinations[sorted.destination($0)] } == [5, 2, 4, 1, 3].map(Self.destination))
        #expect(sorted.sorted().ports == sorted.ports)
    }
}

@Suite("A table of series")
struct PortTableTests {
    private func use(_ client: UInt32, _ port: UInt16, _ transport: Transport = .tcp, _ side: PortSide = .direct)
        -> PortUse
    {
        PortUse(
            time: nil,
            client: IPAddress(v4: client),
            transport: transport,
            side: side,
            destination: Endpoint(address: .loopbackV4, port: 80),
            port: port
        )
    }

    @Test("Each client, transport and side has its series, whichever came last")
    func series() {
        let keys: [(UInt32, Transport, PortSide)] = [
            (1, .tcp, .direct), (2, .tcp, .direct), (1, .udp, .direct), (1, .tcp, .client), (1, .tcp, .egress),
        ]
        var table = PortTable()
        var expected = [[UInt16]](repeating: [], count: keys.count)
        for (port, place) in [0, 1, 2, 3, 4, 4, 0, 2, 0, 2, 1, 0, 1, 0, 3, 3, 4, 2].enumerated() {
            table.add(use(keys[place].0, UInt16(port), keys[place].1, keys[place].2))
            expected[place].append(UInt16(port))
        }
        #expect(table.series.map(\.ports) == expected)
        #expect(
            table.series.map(\.key)
                == keys.map {
                    PortSeriesKey(client: IPAddress(v4: $0.0), transport: $0.1, side: $0.2)
                }
        )
        #expect(table.count == 18 && table.leftOut == 0)
    }

    @Test("What is beyond the most uses or series is counted")
    func limits() {
        var table = PortTable(limit: 4, seriesLimit: 2)
        for client in [1, 2, 3, 1, 3, 2, 1, 2] as [UInt32] { table.add(use(client, 7)) }
        #expect(table.series.map(\.count) == [2, 2])
        #expect(table.count == 4 && table.leftOut == 4)
        var full = PortTable(limit: 1)
        for client in [1, 2, 1] as [UInt32] { full.add(use(client, 7)) }
        #expect(full.series.count == 1 && full.count == 1 && full.leftOut == 2)
        #expect(PortTable.defaultLimit == 4_194_304)
    }

    @Test("Has 65,536 series at the most")
    func manySeries() {
        var table = PortTable()
        for client in UInt32(0)..<65_538 { table.add(use(client, 7)) }
        #expect(table.series.count == 65_536 && table.leftOut == 2)
    }
}
