import Testing
import WeirWire

@Suite("ARP")
struct ARPHeaderTests {
    static let request = hex("0001 0800 06 04 0001 7831c1c63fc2 0a000002 000000000000 0a000001")

    @Test("Parses a real request")
    func parses() throws {
        let header = try ARPHeader.read(Self.request)
        #expect(header.operation == 1 && header.senderHardware.description == "78:31:c1:c6:3f:c2")
        #expect(header.sender.description == "10.0.0.2" && header.target.description == "10.0.0.1")
        #expect(header.targetHardware == .zero)
    }

    @Test("Refuses what is not about IPv4 over Ethernet", arguments: 0..<6)
    func kind(offset: Int) {
        var bytes = Self.request
        bytes[offset] ^= 0x10
        #expect(ARPHeader.error(bytes) == .malformed(.arpKind, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try ARPHeader.expectRoundTrips(seed: 32) {
            ARPHeader(
                operation: $0.half(),
                senderHardware: MACAddress($0.next()),
                sender: IPAddress(v4: $0.word()),
                targetHardware: MACAddress($0.next()),
                target: IPAddress(v4: $0.word())
            )
        }
    }
}
