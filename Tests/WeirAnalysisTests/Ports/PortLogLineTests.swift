import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("A line of the relay's log")
struct PortLogLineTests {
    private func read(_ text: String) -> String {
        var clock = TimestampReader()
        let line = Array(text.utf8).withUnsafeBytes { PortLogLine($0, &clock) }
        guard let line else { return "none" }
        let ends = [line.client, line.listener, line.egress, line.server].map { $0.map { "\($0)" } ?? "-" }
        return
            "\(line.event) \(line.transport) \(line.flow.map { "\($0)" } ?? "-") \(line.time.map { "\($0)" } ?? "-") \(ends.joined(separator: " "))"
    }

    @Test(
        "Is read up to the server, or to the end",
        arguments: [
            (#"{"event":"open"}"#, "opened tcp - - - - - -"), (#"{"event":"connected"}"#, "dialed tcp - - - - - -"),
            (#"{"event":"refused"}"#, "dialed tcp - - - - - -"), (#"{"event":"close"}"#, "closed tcp - - - - - -"),
            (#"{"event":"data","flow":1}"#, "other tcp - - - - - -"),
            (#"{"event":"opem"}"#, "other tcp - - - - - -"), (#"{"event":"opens"}"#, "other tcp - - - - - -"),
            (#"{"flow":1}"#, "none"), (#"{"event""#, "none"),
            (#"{"event":"open""#, "opened tcp - - - - - -"),
            (#"{"event" : "open" , "flow" : 12 }"#, "opened tcp 12 - - - - -"),
            ("\t{\r\"event\"\t:\t\"open\"\r,\"flow\":7\t}", "opened tcp 7 - - - - -"),
            (#"{"event":"open","transport":"udp"}"#, "opened udp - - - - - -"),
            (#"{"event":"open","transport":"UDP"}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","transport":"ud"}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":9999999999999999999}"#, "opened tcp 9999999999999999999 - - - - -"),
            (#"{"event":"open","flow":10000000000000000000}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":-1}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":1:}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":1/}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":""}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","flow":"12"}"#, "opened tcp 12 - - - - -"),
            (
                #"{"event":"open","client":"1.2.3.4:5","listener":"[::1]:6","egress":"x","server":"1.1.1.1:7","flow":8}"#,
                "opened tcp - - 1.2.3.4:5 [::1]:6 - 1.1.1.1:7"
            ),
            (#"{"server":"1.1.1.1:7","event":"open","flow":8}"#, "opened tcp 8 - - - - 1.1.1.1:7"),
            (#"{"time":"1970-01-01T00:00:01Z","event":"open"}"#, "opened tcp - 1000000000 - - - -"),
            (
                #"{"egresS":"1.1.1.1:7","Event":"x","floW":1,"tine":2,"clients":3,"event":"open"}"#,
                "opened tcp - - - - - -"
            ),
            (#"{"x":{"a":"}","b":[1,{"c":"]"}]},"event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"x":[[],[{}]],"event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"x":"\\","event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"x":"\\\"","event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"x":"\\\\","event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"x":"\","event":"open"}"#, "none"), (#"{"x":1 2,"event":"open"}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","x":{"#, "none"), (#"{"event":"open","x":"#, "none"),
            (#"{"event":"open" "flow":1}"#, "opened tcp - - - - - -"), (#"{event:"open"}"#, "none"), ("[]", "none"),
            ("", "none"), (" ", "none"), (#"{"event":"open","x":1"#, "none"),
            (#"{"event":"open","x":"y"#, "none"), (#"{"event":"open",}"#, "opened tcp - - - - - -"),
            (#"{"event":"open","x":["#, "none"), (#"{"event":"open","x":"a","#, "opened tcp - - - - - -"),
        ]
    )
    func lines(text: String, read: String) { #expect(self.read(text) == read) }

    @Test(
        "Marks of flows are kept for any number, each for itself",
        arguments: [1, 1023, 1024, 1025, 4_194_303, 4_194_304, 4_194_305] as [UInt64]
    )
    func marks(flow: UInt64) {
        func line(_ event: String, _ egress: Int, flow: UInt64, client: Int = 1) -> String {
            #"{"time":"2026-11-22T12:31:07Z","flow":\#(flow),"event":"\#(event)","client":"1.1.1.\#(client):50","listener":"1.1.1.1:60","egress":"1.1.1.1:\#(egress)","server":"1.1.1.1:80"}"#
        }
        var (log, table) = (PortLog(), PortTable())
        var counts: [String] = []
        for text in [
            line("open", 100, flow: flow), line("open", 100, flow: flow), line("connected", 101, flow: flow),
            line("refused", 101, flow: flow),
            line("open", 200, flow: flow - 1, client: 2), line("open", 100, flow: flow),
            #"{"flow":\#(flow),"event":"close"}"#, line("connected", 102, flow: flow),
            line("open", 300, flow: flow, client: 3),
        ] {
            let bytes = Array(text.utf8)
            log.read(bytes.span.bytes, into: &table)
            counts.append("\(log.flows)/\(table.count)")
        }
        // A flow with a great number is forgotten when it ends: its later dial counts as another one's.
        let isKept = flow < 4_194_304
        let end = isKept ? ["2/6", "3/8"] : ["2/7", "3/9"]
        #expect(counts == ["1/2", "1/2", "1/3", "1/3", "2/5", "2/6", "2/6"] + end)
    }
}
