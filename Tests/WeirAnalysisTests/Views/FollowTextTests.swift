import Testing
import WeirAnalysis
import WeirWire

@testable import WeirDissect

@Suite("Followed streams in text and JSON")
struct FollowTextTests {
    private static let pieces: [(StreamPiece, String)] = [
        (piece(.upstream, 0, "no"), "no"), (piece(.upstream, 2, "hi\n", at: 1_000_002_999), "hi\n"),
        (piece(.downstream, 7, "x"), "x"), (piece(.upstream, 5, "12345", .gap, at: 2_000_000_000), ""),
        (piece(.downstream, 8, "1", .cut), ""),
    ]

    private static func piece(
        _ direction: Direction,
        _ offset: Int,
        _ text: String,
        _ content: StreamPiece.Content = .bytes,
        at time: Int64? = nil
    ) -> StreamPiece {
        StreamPiece(flow: 3, direction: direction, offset: offset, count: text.utf8.count, time: time, content: content)
    }

    private static func shown(_ form: FollowForm, color: Bool = false) -> String {
        var view = FollowText(form, color: color)
        return WeirAnalysisTests.shown { output in
            for (piece, text) in pieces { view.append(piece, Array(text.utf8).span.bytes, to: &output) }
        }
    }

    @Test("Each piece has its time, direction, length and place, and what it is if it has no bytes")
    func texts() {
        #expect(
            Self.shown(.text) == """
                00:00:00.000000 #3 up    2 bytes @0
                  | no
                00:00:01.000002 #3 up    3 bytes @2
                  | hi\\n
                00:00:01.000002 #3 down  1 byte @7
                  | x
                00:00:02.000000 #3 up    5 bytes @5  not captured
                00:00:02.000000 #3 down  1 byte @8  cut off by the capture's limit on packets

                """
        )
        #expect(Self.shown(.raw) == "nohi\nx" && Self.shown(.raw, color: true) == "nohi\nx")
        let hex = Self.shown(.hex).split(separator: "\n")
        #expect(hex.count == 8 && hex[3].hasPrefix("00000000  68 69 0a  ") && hex[3].hasSuffix("  |hi.|"))
    }

    @Test("For text2pcap each piece is a time and a dump, and nothing stands for what is missing")
    func text2pcap() {
        let lines = Self.shown(.text2pcap, color: true).split(separator: "\n").map(String.init)
        #expect(lines.count == 6)
        #expect(
            lines.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) == [
                "00:00:00.000000", "00:00:01.000002", "00:00:01.000002",
            ]
        )
        #expect(lines.enumerated().allSatisfy { $0.offset % 2 == 0 || $0.element.hasPrefix("00000000  ") })
    }

    @Test("Lines have the colour of their direction, or that of what is missing")
    func colors() {
        let lines = Self.shown(.text, color: true).split(separator: "\n").filter { $0.contains("#3") }
        #expect(lines.map { $0.prefix(5) } == ["\u{1B}[36m", "\u{1B}[36m", "\u{1B}[33m", "\u{1B}[31m", "\u{1B}[31m"])
        #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m") })
    }

    @Test("As JSON each piece is an object")
    func json() {
        var view = FollowJSON()
        let text = WeirAnalysisTests.shown { output in
            for (piece, text) in Self.pieces { view.append(piece, Array(text.utf8).span.bytes, to: &output) }
        }
        #expect(
            text == """
                {"time":null,"flow":3,"event":"data","direction":"upstream","offset":0,"length":2,"bytes":"bm8="}
                {"time":"1970-01-01T00:00:01.000002999Z","flow":3,"event":"data","direction":"upstream","offset":2,\
                "length":3,"bytes":"aGkK"}
                {"time":null,"flow":3,"event":"data","direction":"downstream","offset":7,"length":1,"bytes":"eA=="}
                {"time":"1970-01-01T00:00:02.000000000Z","flow":3,"event":"gap","direction":"upstream","offset":5,\
                "length":5,"reason":"missing"}
                {"time":null,"flow":3,"event":"gap","direction":"downstream","offset":8,"length":1,"reason":"cut"}

                """
        )
    }

    private static func report(_ report: StreamReport, _ direction: Direction = .upstream) -> String {
        WeirAnalysisTests.shown { report.append(direction, flow: 4, prefix: "> ", to: &$0) }
    }

    @Test("A report of one fault of each kind, and of several")
    func faults() {
        var report = StreamReport()
        (report.segments, report.bytes, report.hasReset) = (1, 1, true)
        (report.outOfOrder, report.retransmissions, report.retransmittedBytes, report.uncompared) = (1, 1, 1, 1)
        (report.gapsOfLimit, report.late, report.beforeStart, report.behindEnd) = (1, 1, 1, 1)
        (report.missingAtEnd, report.otherStarts, report.keepAlives) = (1, 1, 1)
        report.conflicts.add(3..<4)
        report.gaps.add(5..<8)
        report.cut.add(20..<21)
        report.cut.add(30..<32)
        #expect(
            Self.report(report) == """
                > #4 up    1 byte in 1 segment
                > #4 up    no SYN was captured: what came before is not known
                > #4 up    1 segment out of order
                > #4 up    1 byte retransmitted, in 1 segment
                > #4 up    1 byte retransmitted were not compared: what they repeat was no longer kept
                > #4 up    1 gap given up since no more could be kept: their bytes may have come later
                > #4 up    1 byte came after their gap was given up
                > #4 up    1 byte of before the first segment captured
                > #4 up    1 byte behind the FIN
                > #4 up    1 byte missing at the end: acknowledged, but not captured
                > #4 up    1 SYN with another sequence number
                > #4 up    1 keep-alive
                > #4 up    1 byte sent twice with different bytes: @3
                > #4 up    3 bytes not captured: @5-7
                > #4 up    3 bytes cut off by the capture's limit on packets: @20, @30-31
                > #4 up    reset by the sender

                """
        )
        report.hasStart = true
        (report.outOfOrder, report.retransmissions, report.retransmittedBytes, report.uncompared) = (2, 3, 5, 7)
        (report.gapsOfLimit, report.late, report.beforeStart, report.behindEnd) = (11, 13, 17, 19)
        (report.missingAtEnd, report.otherStarts, report.keepAlives) = (23, 29, 31)
        let lines = Self.report(report, .downstream).split(separator: "\n").map { $0.dropFirst(11) }
        #expect(
            lines[1..<11] == [
                "2 segments out of order", "5 bytes retransmitted, in 3 segments",
                "7 bytes retransmitted were not compared: what they repeat was no longer kept",
                "11 gaps given up since no more could be kept: their bytes may have come later",
                "13 bytes came after their gap was given up", "17 bytes of before the first segment captured",
                "19 bytes behind the FIN", "23 bytes missing at the end: acknowledged, but not captured",
                "29 SYNs with another sequence number", "31 keep-alives",
            ]
        )
        #expect(Self.report(report, .downstream).hasPrefix("> #4 down  1 byte in 1 segment\n"))
        let json = WeirAnalysisTests.shown { FollowJSON().append(report, flow: 4, .downstream, to: &$0) }
        #expect(
            json == """
                {"time":null,"flow":4,"event":"report","direction":"downstream","whole":false,"syn":true,"fin":false,\
                "rst":true,"segments":1,"bytes":1,"out_of_order":2,"retransmissions":3,"retransmitted_bytes":5,\
                "keep_alives":31,"uncompared_bytes":7,"gaps_of_limit":11,"late_bytes":13,"bytes_before_start":17,\
                "bytes_behind_end":19,"bytes_missing_at_end":23,"other_syns":29,\
                "conflicts":{"count":1,"bytes":1,"ranges":[[3,4]]},"gaps":{"count":1,"bytes":3,"ranges":[[5,8]]},\
                "cut":{"count":2,"bytes":3,"ranges":[[20,21],[30,32]]}}

                """
        )
    }

    @Test("A stream is whole if nothing of it is missing or in doubt")
    func whole() {
        var start = StreamReport()
        #expect(Self.report(start) == "> #4 up    0 bytes in 0 segments\n")
        start.hasStart = true
        #expect(Self.report(start) == "> #4 up    0 bytes in 0 segments, whole from SYN on\n")
        start.hasEnd = true
        (start.segments, start.bytes) = (2, 2)
        #expect(Self.report(start) == "> #4 up    2 bytes in 2 segments, whole from SYN to FIN\n")
        let harmless: [WritableKeyPath<StreamReport, Int>] = [
            \.outOfOrder, \.retransmissions, \.retransmittedBytes, \.keepAlives, \.gapsOfLimit, \.late,
        ]
        let harmful: [WritableKeyPath<StreamReport, Int>] = [
            \.uncompared, \.beforeStart, \.behindEnd, \.missingAtEnd, \.otherStarts,
        ]
        for path in harmless + harmful {
            var report = start
            report[keyPath: path] = 1
            #expect(report.isWhole == harmless.contains(path))
        }
        for path in [\.conflicts, \.gaps, \.cut] as [WritableKeyPath<StreamReport, OffsetRanges>] {
            var report = start
            report[keyPath: path].add(0..<1)
            #expect(!report.isWhole)
        }
    }

    @Test("Ten places are named, and how many more there are", arguments: [10, 11, 12])
    func places(count: Int) {
        var report = StreamReport()
        for index in 0..<count { report.gaps.add((3 * index)..<(3 * index + 1)) }
        let named = (0..<10).map { "@\(3 * $0)" }.joined(separator: ", ")
        let more = count > 10 ? " and \(count - 10) more" : ""
        #expect(Self.report(report).contains("> #4 up    \(count) bytes not captured: \(named)\(more)\n"))
    }
}
