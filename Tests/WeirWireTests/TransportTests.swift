import Testing
import WeirWire

@Suite("Transport")
struct TransportTests {
    @Test("Prints its name and parses it back", arguments: zip(Transport.allCases, ["tcp", "udp"]))
    func roundTrip(transport: Transport, name: String) {
        #expect(transport.description == name)
        #expect(Transport(name) == transport)
    }

    @Test("Refuses any other name", arguments: ["", "TCP", "tcp ", " udp", "sctp", "6"])
    func refuses(name: String) {
        #expect(Transport(name) == nil)
    }
}
