import Testing
import WeirWire

/// Packets made for these tests; tshark 4.0.17 reads each of them as the test says.
@Suite("Encapsulations that tshark reads")
struct EncapsulationTests {
    /// An IPv4 packet from 172.16.0.1:33333 to 172.16.0.53:53 with 4 bytes.
    static let inner = hex("4500002000010000401100 00 ac100001 ac100035 8235 0035 000c 0000 00070100")
    static let ethernet = hex("020000000002 020000000001 0800")
    /// CAPWAP data over UDP, of whose payload the length is added.
    private static func capwap(_ header: String, _ payload: [UInt8], toController: Bool = true) -> [UInt8] {
        let body = hex(header) + payload
        let (ports, size) = (toController ? "03e8147f" : "147f03e8", body.count)
        let ip = hex("4500") + [UInt8((size + 28) >> 8), UInt8((size + 28) & 255)]
        let udp = hex(ports) + [UInt8((size + 8) >> 8), UInt8((size + 8) & 255), 0, 0]
        return ethernet + ip + hex("00010000401100000a0000010a000002") + udp + body
    }

    static let wireless = hex("0000 020000000001 020000000002 020000000003 0000")
    static let llc = hex("aaaa030000000800")

    @Test("UDP within CAPWAP data, in a frame of Ethernet or of IEEE 802.11, both ways", arguments: [true, false])
    func capwap(toController: Bool) throws {
        let (plain, native) = ("00104200 00000000", "00104300 00000000")
        for (header, payload) in [
            (plain, Self.ethernet), (native, hex("0108") + Self.wireless + Self.llc),
            (native, hex("0188") + Self.wireless + [0, 0] + Self.llc),
            (native, hex("0308") + Self.wireless + [0, 0, 0, 0, 0, 0] + Self.llc),
        ] {
            let packet = Self.capwap(header, payload + Self.inner, toController: toController)
            let decoded = DecodedPacket(packet.span.bytes, linkType: .ethernet)
            #expect(decoded.udp?.destination.port == (toController ? 5247 : 1000))
            #expect(decoded.innerUDP.map { "\($0.destination)" } == ["172.16.0.53:53"])
            expectPrefixesAgree(packet, linkType: .ethernet, originalLength: packet.count)
        }
    }

    @Test(
        "No packet is in a fragment, a keep-alive, a protected or an empty frame, nor behind DTLS",
        arguments: [
            "00104280 00000000", "00104208 00000000", "01000000 16feff00", "00104300 00000000 4108",
            "00104300 00000000 0148",
        ]
    )
    func noPacket(header: String) {
        let packet = Self.capwap(header, Self.wireless + Self.llc + Self.inner)
        let decoded = DecodedPacket(packet.span.bytes, linkType: .ethernet)
        #expect(decoded.udp != nil && decoded.innerUDP.isEmpty && decoded.stop == nil)
    }

    @Test("A frame with the tag of IEEE 802.1BR")
    func tag() {
        let packet = Self.ethernet.prefix(12) + hex("893f 0000 1001 0000 0800") + Self.inner
        let decoded = DecodedPacket(Array(packet).span.bytes, linkType: .ethernet)
        #expect(decoded.udp?.destination.port == 53)
        #expect((0..<decoded.layers.count).map { decoded.layers[$0].kind } == [.ethernet, .eTag, .ipv4, .udp])
    }

    @Test("Cisco's HDLC")
    func hdlc() {
        let decoded = DecodedPacket((hex("0f000800") + Self.inner).span.bytes, linkType: .ciscoHDLC)
        #expect(decoded.udp?.destination.port == 53)
        let other = DecodedPacket(hex("8f008035 00000000").span.bytes, linkType: .ciscoHDLC)
        #expect(other.stop == .unsupported(.etherType(EtherType(rawValue: 0x8035)), at: 4))
    }

    @Test(
        "Netfilter's log, in either byte order",
        arguments: ["02000000 0800 0100 00000000 2400 0900", "02000000 0008 0001 00000000 0024 0009"]
    )
    func nflog(header: String) {
        let packet = hex(header) + Self.inner
        let decoded = DecodedPacket(packet.span.bytes, linkType: .nflog)
        #expect(decoded.udp?.destination.port == 53)
        #expect(decoded.stop == nil)
        expectPrefixesAgree(packet, linkType: .nflog, originalLength: packet.count)
        let damaged = DecodedPacket(hex("02000000 0300 0900").span.bytes, linkType: .nflog)
        #expect(damaged.stop == .malformed(.nflogLength, at: 4))
    }
}
