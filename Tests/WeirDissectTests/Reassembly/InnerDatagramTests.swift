import Support
import Testing
import WeirWire

@testable import WeirDissect

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
