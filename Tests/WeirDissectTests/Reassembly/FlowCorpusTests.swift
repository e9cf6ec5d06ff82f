import Support
import Testing
import WeirDissect
import WeirWire

@Suite("Flows of the corpus", .tags(.slow))
struct FlowCorpusTests {
    /// Says why a capture's flows are others in tshark 4.0; there are no other reasons.
    private enum Reason: String {
        case bigTCP = "tshark takes a payload length of 0 for an IPv6 packet without payload"
        case badOption = "tshark stops at an IPv6 option that reaches past the packet"
        case frameCheck = "tshark takes the last 4 bytes of a FabricPath frame for its check sequence"
        case encapsulation = "Weir does not read what carries the packets"
        case application = "tshark finds packets within the messages of an application"
        case conversation =
            "tshark has a conversation of its own where a dissector asks for one by half of its addresses"
    }

    private static let exceptions: [String: Reason] = [
        "tcpdump/bigtcp-ipv6-geneve-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-geneve-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-vxlan-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6.pcap": .bigTCP, "zeek/ipv6-mobility-dst-opts.pcap": .badOption,
        "zeek/cisco-fabric-path.pcap": .frameCheck,
        "zeek/tunnels/ayiya-large-identity.pcap": .encapsulation, "zeek/tunnels/ayiya3.pcap": .encapsulation,
        "zeek/tunnels/gre-aruba-amsdu.pcap": .encapsulation,
        "tcpdump/sflow_expanded.pcap": .application, "tcpdump/of13_ericsson.pcapng": .application,
        "zeek/nfs/nfs_write.pcap": .conversation, "zeek/nfs/nfs_write_bad_stable_how.pcap": .conversation,
        "zeek/rpc-portmap-sadmind.pcap": .conversation, "zeek/snmp/leak_test.pcapng": .conversation,
        "zeek/snmp/snmp-crash-62790.pcap": .conversation,

        "zeek/snmp/snmpwalk-short.pcap": .conversation,
    ]

    /// Counts what one side of a flow sent.
    private struct Sums: Hashable, Comparable {
        var packets = 0
        var bytes = 0

        static func < (first: Sums, second: Sums) -> Bool {
            (first.packets, first.bytes) < (second.packets, second.bytes)
        }
    }

    /// One flow: the sums of its sides, the smaller one first, or of both together where their ports are the same.
    private struct Flow: Hashable {
        var transport: Transport
        var sides: [Sums]
    }

    /// Adds up tshark's packets by stream and by port.
    private static func flows(_ packets: [Tshark.Packet]) -> [Flow: Int] {
        var sums: [Transport: [Int: [Substring: Sums]]] = [:]
        for packet in packets {
            var streams: [(Transport, Int, Substring)] = packet.udpStreams.prefix(packet.countOutsideICMP("udp"))
                .map { (.udp, $0.number, $0.source) }
            if let stream = packet.tcpStream, packet.isOutsideICMP("tcp"),
                let source = packet.tcpPorts.split(separator: " ").first
            {
                streams.append((.tcp, stream, source))
            }
            for (transport, stream, source) in streams {
                sums[transport, default: [:]][stream, default: [:]][source, default: Sums()].packets += 1
                sums[transport, default: [:]][stream, default: [:]][source, default: Sums()].bytes += packet.length
            }
        }
        var flows: [Flow: Int] = [:]
        for (transport, streams) in sums {
            for sides in streams.values {
                flows[Flow(transport: transport, sides: sides.values.sorted()), default: 0] += 1
            }
        }
        return flows
    }

    private static func flows(in file: [UInt8]) throws -> [Flow: Int] {
        var reader = CaptureReader()
        var found = CaptureFlows()
        while let item = try reader.next(in: file.span.bytes) {
            if case .packet(let packet) = item { found.add(packet, file.span.bytes.extracting(packet.range)) }
        }
        var flows: [Flow: Int] = [:]
        for index in 0..<found.table.count {
            let flow = found.table[index]
            var sides = [Sums(packets: flow.packetsUp, bytes: flow.bytesUp)]
            let down = Sums(packets: flow.packetsDown, bytes: flow.bytesDown)
            if flow.client.port == flow.server.port {
                sides[0].packets += down.packets
                sides[0].bytes += down.bytes
            } else {
                sides.append(down)
            }
            let seen = Flow(transport: flow.transport, sides: sides.filter { $0.packets > 0 }.sorted())
            flows[seen, default: 0] += 1
        }
        return flows
    }

    @Test("Are those of tshark, with their packets and bytes", .needsCorpus, .needsProgram("tshark"))
    func tshark() throws {
        let files = try Corpus.files().map { (name: $0, bytes: try Corpus.read($0)) }
        let said = try Tshark.corpus()
        var count = 0
        for file in files {
            let ours = try Self.flows(in: file.bytes)
            let theirs = Self.flows(said[file.name]?.packets ?? [])
            count += theirs.values.reduce(0, +)
            if let reason = Self.exceptions[file.name] {
                #expect(ours != theirs, "\(file.name) is no exception: \(reason.rawValue)")
            } else if ours != theirs {
                let (extra, missing) = (
                    Set(ours.keys).subtracting(theirs.keys), Set(theirs.keys).subtracting(ours.keys)
                )
                Issue.record("\(file.name): (\(ours.count), \(theirs.count) in tshark) \(extra), in tshark \(missing)")
            }
        }
        #expect(Set(Self.exceptions.keys).isSubset(of: files.map(\.name)))
        #expect(Self.exceptions.count * 50 <= said.count)
        #expect(count > 2500)
    }
}
