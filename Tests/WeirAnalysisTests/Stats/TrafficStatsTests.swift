import Support
import Testing
import WeirDissect
import WeirWire

@testable import WeirAnalysis

@Suite("Statistics of traffic")
struct TrafficStatsTests {
    /// The rows of traffic, of which no flow was recorded by a relay.
    private static func rows(_ traffic: MadeTraffic, limit: Int? = nil) -> StatsRows {
        var stats = TrafficStats()
        var dissector = CaptureDissector(wantsFields: false)
        var rows: [FlowRow] = []
        traffic.read { packet, bytes, flows in
            stats.add(packet, in: flows)
            dissector.add(packet, bytes, in: flows) { place, message in stats.add(message, of: place) }
            rows = FlowRows().rows(of: flows.table)
        }
        dissector.finish { place, message in stats.add(message, of: place) }
        return StatsRows(stats, rows, limit: limit)
    }

    private static func http(_ count: Int) -> MadeTraffic {
        var traffic = MadeTraffic()
        traffic.open()
        for number in 0..<count {
            traffic.send(.upstream, "GET /\(number % 2 == 0 ? "a" : "b")?q=\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            let status = number % 3 == 0 ? "500 No" : "200 OK"
            traffic.send(.downstream, "HTTP/1.1 \(status)\r\nContent-Length: 1\r\n\r\nx")
        }
        traffic.finish()
        return traffic
    }

    @Test("A flow has its times, its answers and its payload, each byte once")
    func flow() throws {
        var traffic = Self.http(3)
        let rows = Self.rows(traffic)
        let flow = try #require(rows.flows.first)
        #expect(rows.flows.count == 1 && flow.row.number == 1 && flow.stats.name == "http")
        // SYN at 0, its answer at 1 ms, the first answer at 4 ms; each answer comes 1 ms after its request.
        #expect(flow.dial == 1_000_000 && flow.firstByte == 4_000_000)
        #expect(flow.stats.answers.count == 3)
        #expect(flow.stats.answers.percentiles([50, 90, 99]) == [1_000_000, 1_000_000, 1_000_000])
        #expect(flow.stats.payloadUp == 3 * 32 && flow.stats.payloadDown == 3 * 39)
        // A keep-alive, which repeats the last byte, and a retransmission add nothing.
        traffic.repeatLast(.downstream, 39)
        traffic.repeatLast(.upstream, 1)
        let again = Self.rows(traffic).flows.first
        #expect(again?.stats.payloadUp == 3 * 32 && again?.stats.payloadDown == 3 * 39)
    }

    @Test("Kinds of requests are counted in all flows together, the most frequent first")
    func kinds() {
        let rows = Self.rows(Self.http(7))
        #expect(rows.kinds.map(\.kind.request) == ["GET /a", "GET /b"])
        #expect(rows.kinds.map(\.stats.requests) == [4, 3])
        // 0, 3 and 6 fail.
        #expect(rows.kinds.map(\.stats.failures) == [2, 1])
        #expect(rows.kinds.map(\.stats.answers.count) == [4, 3])
        #expect(rows.kinds.map(\.stats.bytesUp) == [4 * 32, 3 * 32])
        #expect(rows.kinds.map(\.stats.bytesDown) == [4 * 39, 3 * 39])
        #expect(rows.answers.count == 7)
    }

    @Test("Questions of DNS find their answers in any order")
    func names() {
        let rows = Self.rows(.questions)
        #expect(rows.kinds.map(\.kind.request) == ["A", "AAAA"])
        #expect(rows.kinds.map { $0.stats.answers.percentile(50) } == [3_000_000, 1_000_000])
        #expect(rows.flows.first?.dial == nil && rows.flows.first?.firstByte == 2_000_000)
        #expect(rows.flows.first?.stats.payloadUp == 38)
    }

    @Test("A statement of PostgreSQL is answered by its rows and by what it has done")
    func statements() {
        let (ports, message) = (MadeTraffic.postgresql, MadeTraffic.statement)
        var traffic = MadeTraffic()
        traffic.open(ports)
        traffic.send(.upstream, message("Q", Array("select 1\u{0}".utf8)), ports)
        traffic.send(.downstream, message("D", [0, 1, 0, 0, 0, 1, 0x31]), ports)
        traffic.send(.downstream, message("C", Array("SELECT 1\u{0}".utf8)) + message("Z", [0x49]), ports)
        traffic.send(.upstream, message("Q", Array("delete from t\u{0}".utf8)), ports)
        traffic.send(.downstream, message("E", Array("SERROR\u{0}C42P01\u{0}\u{0}".utf8)) + message("Z", [0x49]), ports)
        let rows = Self.rows(traffic)
        #expect(rows.kinds.map(\.kind.request) == ["DELETE FROM t", "SELECT ?"])
        #expect(rows.kinds.map(\.stats.answers.count) == [1, 1])
        #expect(rows.kinds.map { $0.stats.answers.percentile(50) } == [1_000_000, 1_000_000])
        #expect(rows.kinds.map(\.stats.failures) == [1, 0])
        // Row and done have 12 and 14 bytes.
        #expect(rows.kinds.map(\.stats.bytesDown) == [20, 12 + 14])
    }

    @Test("Of more flows than rows those with the most payload are shown, in the order of their numbers")
    func limit() {
        var traffic = MadeTraffic()
        for (number, size) in [5, 50, 10, 500].enumerated() {
            let ports = MadeTraffic.Ports(client: UInt16(6000 + number), server: 7000)
            traffic.open(ports)
            traffic.send(.upstream, [UInt8](repeating: 1, count: size), ports)
        }
        let rows = Self.rows(traffic, limit: 2)
        #expect(rows.flows.map(\.row.number) == [2, 4] && rows.flowCount == 4)
        #expect(Self.rows(traffic).flows.map(\.row.number) == [1, 2, 3, 4])
    }

    @Test("The payload of both directions decides which flows are shown; of equal ones, the first", arguments: 1...10)
    func mostPayload(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (traffic, sums) = (MadeTraffic(), [Int]())
        for number in 0..<20 {
            let ports = MadeTraffic.Ports(client: UInt16(6000 + number), server: 7000)
            let (up, down) = (Int.random(in: 0..<6, using: &generator), Int.random(in: 0..<6, using: &generator))
            traffic.open(ports)
            traffic.send(.upstream, [UInt8](repeating: 1, count: up), ports)
            traffic.send(.downstream, [UInt8](repeating: 1, count: down), ports)
            sums.append(up + down)
        }
        let order = sums.indices.sorted { (sums[$1], $0) < (sums[$0], $1) }
        for limit in [0, 1, 2, 7, 19, 20, 21] {
            let rows = Self.rows(traffic, limit: limit)
            #expect(rows.flows.map(\.row.number) == order.prefix(limit).sorted().map { $0 + 1 }, "\(limit)")
            #expect(rows.flowCount == 20)
        }
    }

    /// A request for a path, as a dissector gives it.
    private static func request(_ path: String, _ offset: Int) -> Message {
        var message = Message()
        (message.name, message.direction, message.summary) = ("http", .upstream, MessageText(escaping: "GET \(path)"))
        message.range = offset..<(offset + 7)
        return message
    }

    @Test("Kinds beyond the bound are counted together, and those that are known for themselves", arguments: 0...5)
    func kindBound(limit: Int) {
        let paths = ["/a", "/b", "/c", "/d"]
        var stats = TrafficStats(kindLimit: limit)
        // Three rounds in the first flow; the kinds of the second one count as well.
        for round in 0..<3 {
            for (number, path) in paths.enumerated() { stats.add(Self.request(path, 100 * round + 10 * number), of: 0) }
        }
        stats.add(Self.request("/a", 0), of: 1)
        var expected: [RequestKind: Int] = [:]
        for path in paths.prefix(limit) { expected[RequestKind(name: "http", request: "GET \(path)")] = 3 }
        if limit < 4 { expected[.others] = 3 * (4 - limit) }
        #expect(stats.kinds(0).mapValues(\.requests) == expected)
        #expect(stats.kinds(0).mapValues(\.bytesUp) == expected.mapValues { 7 * $0 })
        let second = limit > 4 ? RequestKind(name: "http", request: "GET /a") : .others
        #expect(stats.kinds(1).mapValues(\.requests) == [second: 1])
    }

    // MARK: - Text and JSON

    private static func text(_ rows: StatsRows, _ width: Int?) -> [String] {
        shown { StatsText(TerminalStyle(width: width, isUnicode: false)).append(rows, to: &$0) }.split(
            separator: "\n",
            omittingEmptySubsequences: false
        ).map(String.init)
    }

    @Test(
        "A number has three digits, rounded, and the unit in which it is under 1000",
        arguments: [
            (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.00 kB"), (1004, "1.00 kB"), (1005, "1.01 kB"),
            (9994, "9.99 kB"), (9995, "10.0 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"),
            (999_500, "1.00 MB"), (999_500_000, "1.00 GB"), (999_500_000_000, "1.00 TB"),
            (.max, "9223372 TB"),
        ] as [(Int64, String)]
    )
    func short(value: Int64, text: String) {
        #expect(StatsText.short(value, 1000, ["B", "kB", "MB", "GB", "TB"]) == text)
    }

    @Test("A short number is as near to the exact one as three digits can be", arguments: 1...10)
    func shortProperty(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scales: [Substring: Int64] = ["B": 1, "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000]
        for _ in 0..<5000 {
            var bound: Int64 = 10
            for _ in 0..<Int.random(in: 0...10, using: &generator) { bound *= 10 }
            let value = Int64.random(in: 0..<bound, using: &generator)
            let text = StatsText.short(value, 1000, ["B", "kB", "MB", "GB"])
            let words = text.split(separator: " ")
            let scale = try #require(scales[words[1]])
            let parts = words[0].split(separator: ".")
            let digits = try #require(Int64(parts.joined()))
            var tenths: Int64 = 1
            for _ in 0..<(parts.count > 1 ? parts[1].count : 0) { tenths *= 10 }
            #expect(abs(value * tenths - digits * scale) * 2 <= scale, "\(value): \(text)")
            if scale > 1, value < 999_500_000_000 { #expect((100...999).contains(digits), "\(value): \(text)") }
        }
    }

    @Test("The text has a line for each flow and each kind")
    func lines() {
        #expect(
            Self.text(Self.rows(Self.http(2)), 80) == [
                "flow     dial  1st byte  answers      p50      p90      p99    up  down",
                "  #1  1.00 ms   4.00 ms        2  1.00 ms  1.00 ms  1.00 ms  64 B  78 B",
                "",
                "requests     count  failed      p50      p90      p99    up  down",
                "http GET /a      1       1  1.00 ms  1.00 ms  1.00 ms  32 B  39 B",
                "http GET /b      1       0  1.00 ms  1.00 ms  1.00 ms  32 B  39 B",
                "",
            ]
        )
    }

    @Test("Lines fit, also with long names; with more columns they say what the flows are")
    func widths() {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, "GET /\(String(repeating: "long", count: 30)) HTTP/1.1\r\nHost: h\r\n\r\n")
        let rows = Self.rows(traffic)
        for width in [1, 40, 60, 80, 100, 120, 200] {
            for line in Self.text(rows, width) { #expect(line.count <= max(width, 40), "\(line)") }
        }
        #expect(Self.text(rows, 80).contains { $0.contains("http GET /longlonglong") && $0.contains("long...  ") })
        #expect(Self.text(rows, 80)[1].hasSuffix("  tcp 10.0.0.2:80..."))
        #expect(!Self.text(rows, 60)[1].contains("tcp"))
        // What says the most stays the longest.
        #expect(Self.text(rows, 40)[0].hasPrefix("flow") && Self.text(rows, 40)[0].contains("p50"))
        #expect(Self.text(rows, 120)[1].hasSuffix("  tcp 10.0.0.2:80 http"))
        #expect(Self.text(rows, nil).contains { $0.contains(String(repeating: "long", count: 30)) })
    }

    @Test("A wide character takes two columns", arguments: [60, 80, 100], [true, false])
    func wide(width: Int, isUnicode: Bool) throws {
        var packets = Packets()
        var stats = TrafficStats()
        try packets.add(.tcp, "1.1.1.1:5", "2.2.2.2:80")
        for text in [String(repeating: "日本", count: 20), "short"] {
            var message = Message()
            (message.name, message.direction, message.summary) = ("x", .upstream, MessageText(escaping: text))
            stats.add(message, of: 0)
        }
        let rows = StatsRows(stats, packets.rows, limit: nil)
        let style = TerminalStyle(width: width, isUnicode: isUnicode)
        let lines = shown { StatsText(style).append(rows, to: &$0) }.split(separator: "\n").suffix(3)
        let widths = lines.map { DisplayWidth.columns(of: Array($0.utf8).span.bytes) }
        // The numbers of all rows stand below one another, up to the edge.
        #expect(Set(widths).count == 1 && widths.allSatisfy { $0 <= width && $0 >= width - 1 }, "\(lines)")
    }

    @Test("Left out rows are told, and the answers of all flows are one line")
    func totals() {
        var traffic = Self.http(1)
        let other = MadeTraffic.Ports(client: 50_001, server: 80)
        traffic.open(other)
        traffic.send(.upstream, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", other)
        traffic.send(.downstream, "HTTP/1.1 204 No\r\n\r\n", other)
        let all = Self.text(Self.rows(traffic), 80)
        #expect(all[3] == " all" + String(repeating: " ", count: 27) + "2  1.00 ms  1.00 ms  1.00 ms")
        let some = Self.text(Self.rows(traffic, limit: 1), 80)
        #expect(some[2] == "the 1 with the most payload of 2 flows")
        #expect(some.contains("the 1 most frequent of 2 kinds of requests"))
    }

    @Test("JSON has an object for each flow and each kind, with exact numbers")
    func json() throws {
        var output = ByteBuffer()
        StatsJSON().append(Self.rows(Self.http(1)), to: &output)
        let lines = output.string.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines[0]
                == #"{"event":"flow_stats","flow":1,"transport":"tcp","client":"10.0.0.1:50000","server":"10.0.0.2:80","#
                + #""protocol":"http","dial_ns":1000000,"first_byte_ns":4000000,"answers":1,"p50_ns":1000000,"#
                + #""p90_ns":1000000,"p99_ns":1000000,"longest_ns":1000000,"payload_up":32,"payload_down":39,"#
                + #""duration_ns":7000000}"#
        )
        #expect(
            lines[1]
                == #"{"event":"request_stats","protocol":"http","request":"GET /a","requests":1,"failures":1,"answers":1,"#
                + #""p50_ns":1000000,"p90_ns":1000000,"p99_ns":1000000,"longest_ns":1000000,"bytes_up":32,"bytes_down":39}"#
        )
    }
}
