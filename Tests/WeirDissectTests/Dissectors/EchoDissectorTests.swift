import Testing
import WeirWire

@testable import WeirDissect

@Suite("Echo dissector")
struct EchoDissectorTests {
    @Test("Pairs datagrams on the port of the protocol")
    func datagrams() {
        var flow = DissectionDialogue(.udp, port: 7)
        flow.up("one")
        flow.up("x")
        flow.down("one")
        #expect(
            flow.said == [
                "up 0..<3 echo: request of 3 bytes", "up 0..<1 echo: request of 1 byte",
                "down 0..<3 echo: response of 3 bytes (answers 0 after 2 ms)",
            ]
        )
        #expect(flow.messages.first?.fieldLines == ["echo.data 0..<3 one"])
    }

    @Test("Takes each chunk of a stream for a message")
    func stream() {
        var flow = DissectionDialogue(.tcp, port: 7)
        flow.up("hello")
        flow.down("he")
        flow.down("llo")
        #expect(
            flow.said == [
                "up 0..<5 echo: request of 5 bytes", "down 0..<2 echo: response of 2 bytes",
                "down 2..<5 echo: response of 3 bytes",
            ]
        )
    }

    @Test("Is nothing on any other port")
    func otherPort() {
        var flow = DissectionDialogue(.udp, port: 8)
        flow.up("one")
        #expect(flow.said == [])
    }
}
