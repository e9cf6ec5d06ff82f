import Testing
import WeirWire

@testable import WeirDissect

@Suite("Syslog dissector")
struct SyslogDissectorTests {
    @Test("Reads a datagram, on any port")
    func datagram() throws {
        var flow = DissectionDialogue(.udp, port: 5514)
        flow.up("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - failed\u{1B}[31m")
        #expect(
            flow.said == ["up 0..<59 syslog: auth.crit 1 2003-10-11T22:14:15.003Z host su - ID47 - failed\\x1b[31m"]
        )
        #expect(flow.messages.first?.fieldLines.prefix(2) == ["syslog.facility 0..<4 4", "syslog.level 0..<4 2"])
    }

    @Test("Reads lines of a stream on its port, in pieces of any size", arguments: [1, 5, 100])
    func lines(size: Int) {
        var flow = DissectionDialogue(port: 514)
        flow.add(Array("<13>one\n<191>two\n".utf8), .upstream, inPiecesOf: size)
        #expect(flow.said == ["up 0..<8 syslog: user.notice one", "up 8..<17 syslog: local7.debug two"])
    }

    @Test("Reads messages with their lengths", arguments: [1, 5, 100])
    func lengths(size: Int) {
        var flow = DissectionDialogue(port: 4000)
        flow.add(Array("7 <13>one8 <191>two".utf8), .upstream, inPiecesOf: size)
        #expect(flow.said == ["up 0..<9 syslog: user.notice one", "up 9..<19 syslog: local7.debug two"])
    }

    @Test("Is not every text with a number in angle brackets", arguments: ["<192>x", "<>x", "<1234>", "x<13>", "<13"])
    func others(text: String) {
        var flow = DissectionDialogue(.udp, port: 514)
        flow.up(text)
        #expect(flow.said == [])
    }
}
