import Support
import Testing
import WeirWire

@Suite("Ethernet header")
struct EthernetHeaderTests {
    static let bytes = hex("00 10 dc 72 4c 5f 00 d0 b7 1e be 20 08 00")

    @Test("Parses a real header")
    func parses() throws {
        let header = try EthernetHeader(Self.bytes)
        #expect(header.destination.description == "00:10:dc:72:4c:5f")
        #expect(header.source.description == "00:d0:b7:1e:be:20")
        #expect(header.type == .ipv4)
        #expect(header.bytes == Self.bytes)
    }

    @Test("Refuses a short header")
    func short() {
        EthernetHeader.expectTruncation(of: Self.bytes)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let header = EthernetHeader(
                destination: MACAddress(generator.next()),
                source: MACAddress(generator.next()),
                type: EtherType(rawValue: UInt16.random(in: 0 ... .max, using: &generator))
            )
            #expect(try EthernetHeader(header.bytes) == header)
        }
    }
}

@Suite("MAC address")
struct MACAddressTests {
    @Test("Keeps 48 bits and prints them")
    func prints() {
        #expect(MACAddress(0xffff_0200_5e10_000f).description == "02:00:5e:10:00:0f")
        #expect(MACAddress.zero.description == "00:00:00:00:00:00")
        #expect(MACAddress.broadcast.description == "ff:ff:ff:ff:ff:ff")
    }

    @Test("Knows groups and addresses given by an administrator")
    func bits() {
        #expect(MACAddress.broadcast.isGroup && MACAddress.broadcast.isLocal)
        #expect(!MACAddress.zero.isGroup && !MACAddress.zero.isLocal)
        #expect(MACAddress(0x0100_5e00_0001).isGroup && !MACAddress(0x0100_5e00_0001).isLocal)
        #expect(MACAddress(0x0200_0000_0001).isLocal && !MACAddress(0x0200_0000_0001).isGroup)
    }
}
