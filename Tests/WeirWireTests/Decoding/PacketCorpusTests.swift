import Support
import Testing
import WeirWire

@Suite("Packets of the corpus", .tags(.slow))
struct PacketCorpusTests {
    /// Says why a capture's packets have other addresses or ports in tshark 4.0; there are no other reasons.
    private enum Reason: String {
        case bigTCP = "tshark takes a payload length of 0 for an IPv6 packet without payload"
        case badOption = "tshark stops at an IPv6 option that reaches past the packet"
        case frameCheck = "tshark takes the last 4 bytes of a FabricPath frame for its check sequence"
        case encapsulation = "Weir does not read what carries the packets"
        case application = "tshark finds packets within the messages of an application"
    }

    private static let exceptions: [String: Reason] = [
        "tcpdump/bigtcp-ipv6-geneve-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-geneve-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-vxlan-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6.pcap": .bigTCP, "zeek/ipv6-mobility-dst-opts.pcap": .badOption,
        "zeek/cisco-fabric-path.pcap": .frameCheck,
        "zeek/tunnels/ayiya3.pcap": .encapsulation, "zeek/tunnels/gre-aruba-amsdu.pcap": .encapsulation,
        "tcpdump/of13_ericsson.pcapng": .application, "tcpdump/sflow_expanded.pcap": .application,
    ]

    /// What a packet says of its flows.
    private struct Flows: Equatable {
        var source = ""
        var tcpPorts = ""
        var udpPorts = ""
        var length: Int

        init(_ packet: DecodedPacket, length: Int) {
            self.length = length
            if let tcp = packet.tcp { tcpPorts = "\(tcp.source.port) \(tcp.destination.port)" }
            if let udp = packet.udp { udpPorts = "\(udp.source.port) \(udp.destination.port)" }
            guard packet.tcp != nil || packet.udp != nil else { return }
            source = packet.network.map { "\($0.source)" } ?? ""
        }

        /// Leaves out the packets that ICMP errors quote, and headers too short for tshark to count them to a stream.
        init(_ packet: Tshark.Packet) {
            length = packet.length
            if packet.tcpStream != nil, packet.isOutsideICMP("tcp") { tcpPorts = packet.tcpPorts }
            if packet.udpStream != nil, packet.isOutsideICMP("udp") { udpPorts = packet.udpPorts }
            if !tcpPorts.isEmpty || !udpPorts.isEmpty { source = packet.source }
        }
    }

    @Test("Addresses, ports and lengths are those of tshark", .needsCorpus, .needsProgram("tshark"))
    func tshark() throws {
        let files = try Corpus.files().map { (name: $0, bytes: try Corpus.read($0)) }
        let said = try Tshark.corpus()
        var streams = 0
        for file in files {
            let ours = try flows(in: file.bytes)
            guard !ours.isEmpty else { continue }
            let theirs = try #require(said[file.name], "tshark says nothing of \(file.name)").packets.map { Flows($0) }
            streams += theirs.count { !$0.source.isEmpty }
            let different = zip(ours, theirs).enumerated().first { $1.0 != $1.1 }
            if let reason = Self.exceptions[file.name] {
                #expect(different != nil, "\(file.name) is no exception: \(reason.rawValue)")
            } else if ours.count != theirs.count {
                Issue.record("\(file.name): \(ours.count) packets, \(theirs.count) in tshark")
            } else if let (index, (our, their)) = different {
                Issue.record("\(file.name): packet \(index + 1) is \(our), in tshark \(their)")
            }
        }
        #expect(Set(Self.exceptions.keys).isSubset(of: files.map(\.name)))
        #expect(Self.exceptions.count * 50 <= said.count)
        #expect(said.count > 1300 && streams > 30_000)
    }

    private func flows(in file: [UInt8]) throws -> [Flows] {
        var (reader, packet) = (CaptureReader(), DecodedPacket())
        var decoder = PacketDecoder()
        var flows: [Flows] = []
        let bytes = file.span.bytes
        while let item = try reader.next(in: bytes) {
            guard case .packet(let found) = item, PacketDecoder.reads(found.linkType) else { continue }
            let (length, linkType) = (found.originalLength, found.linkType)
            decoder.decode(bytes.extracting(found.range), linkType: linkType, originalLength: length, into: &packet)
            flows.append(Flows(packet, length: length))
        }
        return flows
    }

    @Test("Every prefix of a packet decodes to a part of what the packet does", .needsCorpus)
    func prefixes() throws {
        var count = 0
        for file in try Corpus.files() {
            let bytes = try Corpus.read(file)
            var (reader, packets) = (CaptureReader(), 0)
            while packets < 3, let item = try? reader.next(in: bytes.span.bytes) {
                guard case .packet(let packet) = item else { continue }
                let whole = Array(bytes[packet.range].prefix(180))
                expectPrefixesAgree(whole, linkType: packet.linkType, originalLength: packet.originalLength)
                packets += 1
                count += whole.count
            }
        }
        #expect(count > 300_000)
    }
}
