import Support
import Testing
@testable import WeirWire

@Suite("UDP within a tunnel")
struct InnerDatagramTests {
    @Test("Is a flow, and is dissected", .needsCases)
    func flow() throws {
        let messages = try CaseMessages("vxlan-inner-dns.pcap")
        // The tunnel has a flow for each way, as the source port is made from what is within.
        try #require(messages.flows.map(\.packets) == [1, 2, 1])
        let inner = messages.flows[1]
        #expect("\(inner.client)" == "172.16.0.1:33333")
        #expect("\(inner.server)" == "172.16.0.53:53")
        #expect(messages.said.count == 2)
        #expect(messages.said.first?.hasPrefix("1 up 0..<31 dns") == true, "\(messages.said)")
        #expect(messages.said.last?.hasSuffix("answers @0") == true, "\(messages.said)")
    }

    @Test("Is a flow at each level of several tunnels, and what they are known by is found", .needsCorpus)
    func levels() throws {
        let file = try Corpus.read("zeek/tunnels/vxlan-triple-v2.pcap")
        let messages = try CaseMessages(bytes: file)
        #expect(messages.flows.map { "\($0.server.port)" } == ["4789", "4789", "4789", "53"])
        #expect(messages.said.first?.hasPrefix("3 up") == true)
        var (reader, probes) = (CaptureReader(), FlowProbes())
        var flows = CaptureFlows()
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            #expect(probes.wants(nil, nil, flows.innerUDP))
            probes.add(packet, bytes, in: flows)
        }
        probes.finish()
        #expect(probes.found(3)?.name == "dns")
        #expect(flows.innermost?.index == 3)
        #expect(flows.hasFlow { $0 == 2 })
        #expect(!flows.hasFlow { $0 == 4 })
    }
}

/// Packets made for these tests; tshark 4.0.17 reads each of them as the test says.
@Suite("Encapsulations that tshark reads")
struct EncapsulationTests {
    /// An IPv4 packet from 172.16.0.1:33333 to 172.16.0.53:53 with 4 bytes.
    static let inner = bytes("4500002000010000401100 00 ac100001 ac100035 8235 0035 000c 0000 00070100")
    static let ethernet = bytes("020000000002 020000000001 0800")
    /// CAPWAP data over UDP, of whose payload the length is added.
    private static func capwap(_ header: String, _ payload: [UInt8], toController: Bool = true) -> [UInt8] {
        let body = bytes(header) + payload
        let (ports, size) = (toController ? "03e8147f" : "147f03e8", body.count)
        let ip = bytes("4500") + [UInt8((size + 28) >> 8), UInt8((size + 28) & 255)]
        let udp = bytes(ports) + [UInt8((size + 8) >> 8), UInt8((size + 8) & 255), 0, 0]
        return ethernet + ip + bytes("00010000401100000a0000010a000002") + udp + body
    }

    static let wireless = bytes("0000 020000000001 020000000002 020000000003 0000")
    static let llc = bytes("aaaa030000000800")

    @Test("UDP within CAPWAP data, in a frame of Ethernet or of IEEE 802.11, both ways", arguments: [true, false])
    func capwap(toController: Bool) throws {
        let (plain, native) = ("00104200 00000000", "00104300 00000000")
        for (header, payload) in [
            (plain, Self.ethernet), (native, bytes("0108") + Self.wireless + Self.llc),
            (native, bytes("0188") + Self.wireless + [0, 0] + Self.llc),
            (native, bytes("0308") + Self.wireless + [0, 0, 0, 0, 0, 0] + Self.llc),
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
        let packet = Self.ethernet.prefix(12) + bytes("893f 0000 1001 0000 0800") + Self.inner
        let decoded = DecodedPacket(Array(packet).span.bytes, linkType: .ethernet)
        #expect(decoded.udp?.destination.port == 53)
        #expect((0..<decoded.layers.count).map { decoded.layers[$0].kind } == [.ethernet, .eTag, .ipv4, .udp])
    }

    @Test("Cisco's HDLC")
    func hdlc() {
        let decoded = DecodedPacket((bytes("0f000800") + Self.inner).span.bytes, linkType: .ciscoHDLC)
        #expect(decoded.udp?.destination.port == 53)
        let other = DecodedPacket(bytes("8f008035 00000000").span.bytes, linkType: .ciscoHDLC)
        #expect(other.stop == .unsupported(.etherType(EtherType(rawValue: 0x8035)), at: 4))
    }

    @Test(
        "Netfilter's log, in either byte order",
        arguments: ["02000000 0800 0100 00000000 2400 0900", "02000000 0008 0001 00000000 0024 0009"]
    )
    func nflog(header: String) {
        let packet = bytes(header) + Self.inner
        let decoded = DecodedPacket(packet.span.bytes, linkType: .nflog)
        #expect(decoded.udp?.destination.port == 53)
        #expect(decoded.stop == nil)
        expectPrefixesAgree(packet, linkType: .nflog, originalLength: packet.count)
        let damaged = DecodedPacket(bytes("02000000 0300 0900").span.bytes, linkType: .nflog)
        #expect(damaged.stop == .malformed(.nflogLength, at: 4))
    }
}
