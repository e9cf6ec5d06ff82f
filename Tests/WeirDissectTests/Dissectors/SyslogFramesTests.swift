import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("Syslog frames")
struct SyslogFramesTests {
    @Test("Names each facility and each level", arguments: 0..<192)
    func priorities(value: Int) {
        let facilities = [
            "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
            "audit",
            "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ]
        let levels = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
        var flow = DissectionDialogue(.udp, port: 4000)
        let priority = "<\(value)>"
        flow.up(priority + "x")
        let end = priority.utf8.count
        #expect(
            flow.lines == [
                "up 0..<\(end + 1) syslog: \(facilities[value / 8]).\(levels[value % 8]) x",
                "  syslog.facility 0..<\(end) \(value / 8)",
                "  syslog.level 0..<\(end) \(value % 8)", "  syslog.msg \(end)..<\(end + 1) x",
            ]
        )
    }

    @Test("Says what there is of messages that end anywhere")
    func cut() {
        #expect(
            outcomes(of: Array("<13>ab\n<9>c\n".utf8), port: 514)
                == """
                0...6 nothing
                7...11 syslog: user.notice ab, 3 fields
                12 syslog: user.notice ab, 3 fields | syslog: user.alert c, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("<13>ab\n".utf8), port: 4000)
                == """
                0...7 nothing
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("6 <13>ab5 <9>cd".utf8), port: 4000)
                == """
                0...7 nothing
                8...14 syslog: user.notice ab, 3 fields
                15 syslog: user.notice ab, 3 fields | syslog: user.alert cd, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("<13>ab".utf8), .upstream, .udp, port: 514)
                == """
                0...3 nothing
                4 syslog: user.notice , 3 fields
                5 syslog: user.notice a, 3 fields
                6 syslog: user.notice ab, 3 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Is what a priority can begin",
        arguments: [
            ("<0>a\n", true), ("<191>a\n", true), ("<192>a\n", false), ("<0191>a\n", false), ("<>a\n", false),
            ("<1a\n", false),
            ("<1/>a\n", false), ("<:>a\n", false), (" <1>a\n", false), ("1<1>a\n", false), ("0 <1>a\n", false),
            ("4 <1>a", true),
            ("00004 <1>a", true), ("000004 <1>a", false), ("4  <1>a\n", false), ("4 1>a", false), ("4 <a>b", false),
            ("/ <1>a\n", false),
            (": <1>a\n", false), ("<1>\n", true), ("3 <1>", true),
        ]
    )
    func recognition(text: String, isMessage: Bool) {
        var flow = DissectionDialogue(port: 514)
        flow.up(text)
        #expect(flow.said.count == (isMessage ? 1 : 0))
        // In pieces it is the same, unless what cannot begin one ends with the first piece.
        if !text.contains(" <") || text.first?.isNumber == true && !text.contains("  ") {
            var pieces = DissectionDialogue(port: 514)
            pieces.add(Array(text.utf8), .upstream, inPiecesOf: 1)
            #expect(pieces.said.count == (isMessage ? 1 : 0))
        }
        // The port decides of lines alone.
        var other = DissectionDialogue(port: 4000)
        other.up(text)
        #expect(other.said.count == (isMessage && !text.hasPrefix("<") ? 1 : 0))
    }

    @Test("Lines and counts take turns, in both directions, and lines with a carriage return lose it")
    func turns() {
        var flow = DissectionDialogue(port: 514)
        flow.add(Array("<13>one\r\n9 <14>\ntwo\n".utf8), .upstream, inPiecesOf: 4)
        flow.add(Array("<15>three\n6 <16>4\n<17>5\n".utf8), .downstream, inPiecesOf: 3)
        flow.gap(3, .upstream)
        flow.up("<18>six\n")
        #expect(
            flow.said
                == """
                up 0..<9 syslog: user.notice one\\r
                up 9..<20 syslog: user.info \\ntwo\\n
                down 0..<10 syslog: user.debug three
                down 10..<18 syslog: mail.emerg 4\\n
                down 18..<24 syslog: mail.alert 5
                up 23..<31 syslog: mail.crit six
                """.split(separator: "\n").map(String.init)
        )
    }
}
