import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Summary of a capture")
struct SummaryTextTests {
    private typealias Made = ViewCapture

    /// Counts five packets of which two have no flow, one is cut, one is late and one has no time.
    private static func made() -> ViewCapture {
        var capture = ViewCapture()
        capture.summary.add(.section(CaptureSection(application: "weir\u{1B}é 1")))
        capture.summary.add(.section(CaptureSection(application: "other")))
        capture.summary.add(.section(CaptureSection(application: "weir\u{1B}é 1")))
        _ = capture.add(Made.tcp((1, 5000), (2, 80), 2), at: 1_000_000_000)
        _ = capture.add(Made.udp((1, 5000), (3, 9), "hello"), at: 1_002_500_000)
        _ = capture.add(Made.ip(99, 1, 2, [1, 2, 3, 4]), at: 1_001_000_000)
        _ = capture.add(Made.udp((1, 5000), (3, 9), "hello"), at: nil, first: 30)
        _ = capture.add(Made.ip(6, 1, 2, [1, 2, 3, 4]), at: 1_002_000_000)
        return capture
    }

    @Test("Has the counts, the protocols, the hosts and what is wrong")
    func text() {
        let capture = Self.made()
        var view = SummaryText(color: false)
        let text = shown { view.append(capture.summary, capture.flows, damage: ["first"], to: &$0) }
        #expect(
            text == """
                capture
                  link type     IPV4
                  written by    weir 1, other
                  packets       5
                  bytes         154, 151 captured
                  flows         1 tcp, 1 udp
                  first packet  1970-01-01 00:00:01.000000
                  last packet   1970-01-01 00:00:01.002500
                  seconds       0.002500
                  packets/s     2000.0
                  Mbit/s        0.493
                protocols
                        packets       %  bytes       %
                  ipv4        5  100.00    154  100.00
                  tcp         1   20.00     40   25.97
                  udp         2   40.00     66   42.86
                not decoded to the end
                                               packets       %  bytes       %
                  IP protocol 99, not decoded        1   20.00     24   15.58
                  cut short                          1   20.00     24   15.58
                top talkers
                            packets       %  bytes       %
                  10.0.0.1        5  100.00    154  100.00
                  10.0.0.2        3   60.00     88   57.14
                  10.0.0.3        2   40.00     66   42.86
                damage
                  first
                  1 packet cut off by the capture's limit on packets
                  1 packet with a time before that of the packet before
                  1 packet without a time

                """
        )
        var colored = SummaryText(color: true)
        let headings = shown { colored.append(capture.summary, capture.flows, damage: [], to: &$0) }
        #expect(
            headings.split(separator: "\n").filter { $0.hasPrefix("\u{1B}") }.map { $0.dropFirst(4).dropLast(4) }
                == ["capture", "protocols", "not decoded to the end", "top talkers", "damage"]
        )
        #expect(headings.hasPrefix("\u{1B}[1mcapture\u{1B}[0m\n"))
    }

    @Test("As JSON it has the same")
    func json() {
        let capture = Self.made()
        var view = SummaryJSON()
        let text = shown { view.append(capture.summary, capture.flows, damage: ["first"], to: &$0) }
        #expect(
            text == """
                {"packets":5,"bytes":154,"bytes_captured":151,"first":"1970-01-01T00:00:01.000000000Z",\
                "last":"1970-01-01T00:00:01.002500000Z","duration_ns":2500000,"flows_tcp":1,"flows_udp":1,\
                "link_types":["IPV4"],"applications":["weir\\u001bé 1","other"],\
                "protocols":[{"name":"ipv4","packets":5,"bytes":154},{"name":"tcp","packets":1,"bytes":40},\
                {"name":"udp","packets":2,"bytes":66}],\
                "not_decoded":[{"name":"IP protocol 99, not decoded","packets":1,"bytes":24},\
                {"name":"cut short","packets":1,"bytes":24}],\
                "talkers":[{"name":"10.0.0.1","packets":5,"bytes":154},{"name":"10.0.0.2","packets":3,"bytes":88},\
                {"name":"10.0.0.3","packets":2,"bytes":66}],\
                "damage":["first","1 packet cut off by the capture's limit on packets",\
                "1 packet with a time before that of the packet before","1 packet without a time"]}

                """
        )
    }

    @Test("Of nothing it says nothing but that")
    func empty() {
        let capture = ViewCapture()
        var view = SummaryText(color: false)
        let text = shown { view.append(capture.summary, capture.flows, damage: [], to: &$0) }
        #expect(
            text == """
                capture
                  packets       0
                  bytes         0, 0 captured
                  flows         0 tcp, 0 udp
                damage
                  none

                """
        )
        var one = ViewCapture()
        _ = one.add(Made.udp((1, 1), (1, 2), ""), at: 5)
        let single = shown { view.append(one.summary, one.flows, damage: [], to: &$0) }
        #expect(single.contains("  seconds       0.000000\nprotocols\n"))
        #expect(single.contains("\n  10.0.0.1        1  100.00     28  100.00\ndamage\n"))
    }
}

@Suite("Counts of a capture")
struct CaptureSummaryTests {
    private typealias Made = ViewCapture

    private static func statistics(_ interface: UInt32, _ byInterface: UInt64?, _ bySystem: UInt64?) -> CaptureBlock {
        var statistics = CaptureStatistics(interface: interface, timestamp: 0)
        statistics.droppedByInterface = byInterface
        statistics.droppedBySystem = bySystem
        return .statistics(statistics)
    }

    @Test("Dropped is what the last statistics of each interface say, over all sections")
    func dropped() {
        var summary = CaptureSummary()
        var seen: [UInt64] = []
        for block in [
            Self.statistics(0, 2, 3), Self.statistics(0, 7, nil), Self.statistics(1, nil, 1),
            Self.statistics(1, nil, nil),
            .section(CaptureSection()), Self.statistics(0, 4, 0), Self.statistics(1, 1, 1), .section(CaptureSection()),
            Self.statistics(0, 100, 0),
        ] {
            summary.add(block)
            seen.append(summary.dropped)
        }
        #expect(seen == [5, 7, 8, 7, 7, 11, 13, 13, 113])
    }

    @Test("Times are the earliest and the latest, and those before the packet before are counted")
    func times() {
        var capture = ViewCapture()
        #expect(capture.summary.duration == nil)
        let packet = Made.udp((1, 1), (2, 2), "")
        for time in [50, 50, 49, nil, 60, 40, 45] as [Int64?] { _ = capture.add(packet, at: time) }
        let summary = capture.summary
        #expect(summary.earliest == 40 && summary.latest == 60 && summary.duration == 20)
        #expect(summary.backwards == 2 && summary.timeless == 1 && summary.total.packets == 7)
        #expect(summary.cutPackets == 0 && summary.capturedBytes == 7 * 28)
        _ = capture.add(packet, at: .max)
        _ = capture.add(packet, at: .min)
        #expect(capture.summary.duration == .max)
    }

    @Test("Hosts are sorted by their bytes and then by their address, and there are no more than wanted")
    func talkers() {
        var capture = ViewCapture()
        _ = capture.add(Made.udp((5, 1), (4, 1), "ab"))
        _ = capture.add(Made.udp((3, 1), (3, 2), "a"))
        _ = capture.add(Made.ip(99, 9, 9, [1]))
        _ = capture.add(Made.ip(99, 9, 8, [1]))
        func hosts(_ most: Int) -> [String] {
            capture.summary.talkers(capture.flows.table, most: most).map { host in
                "\(host.address) \(host.count.packets) \(host.count.bytes)"
            }
        }
        let all = ["10.0.0.9 2 42", "10.0.0.4 1 30", "10.0.0.5 1 30", "10.0.0.3 1 29", "10.0.0.8 1 21"]
        for most in [0, 1, 4, 5, 6] { #expect(hosts(most) == Array(all.prefix(most))) }
    }

    @Test("Link types and reasons are each named once, the most frequent reason first")
    func names() {
        var capture = ViewCapture()
        for type in [LinkType.ipv4, .raw, .ipv4, .raw, .ethernet] {
            let packet = Made.udp((1, 1), (2, 2), "")
            var captured = capture.add(packet)
            captured = CapturedPacket(timestamp: 0, range: captured.range, originalLength: 28, linkType: type)
            capture.summary.add(captured, capture.flows)
        }
        #expect(capture.summary.linkTypes == [.ipv4, .raw, .ethernet])
        for transport in [98, 99, 99, 97] as [UInt8] { _ = capture.add(Made.ip(transport, 1, 2, [1])) }
        #expect(
            capture.summary.reasons.map { "\($0.name) \($0.count.packets)" } == [
                "IP protocol 99, not decoded 2", "IP protocol 97, not decoded 1", "IP protocol 98, not decoded 1",
            ]
        )
    }
}
