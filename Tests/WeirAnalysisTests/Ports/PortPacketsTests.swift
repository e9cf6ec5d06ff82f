import Testing
import WeirAnalysis
import WeirWire

@Suite("Ports out of packets")
struct PortPacketsTests {
    private static let client = IPAddress(v4: 0x0a00_0002)
    private static let server = IPAddress(v4: 0x0a00_0001)

    /// Decodes a packet that has no payload.
    private func packet(
        _ transport: Transport,
        from: UInt16,
        to: UInt16,
        _ flags: TCPFlags = .syn,
        sequence: UInt32 = 1,
        isAnswer: Bool = false
    ) -> DecodedPacket {
        var frame = ByteBuffer()
        let (source, destination) = isAnswer ? (Self.server, Self.client) : (Self.client, Self.server)
        let length = transport == .tcp ? TCPHeader.minimumSize : UDPHeader.size
        let header = IPv4Header(
            source: source,
            destination: destination,
            protocol: IPProtocol(transport),
            payloadLength: length
        )
        header.emit(to: &frame)
        if transport == .tcp {
            TCPHeader(
                sourcePort: from,
                destinationPort: to,
                sequenceNumber: sequence,
                acknowledgmentNumber: 0,
                flags: flags,
                window: 1
            ).emit(to: &frame)
        } else {
            UDPHeader(sourcePort: from, destinationPort: to, payloadLength: 0).emit(to: &frame)
        }
        return frame.withUnsafeBytes { DecodedPacket($0.bytes, linkType: .raw) }
    }

    private func ports(_ packets: [(DecodedPacket, Int64)], comments: [String] = []) -> [PortSeries] {
        var (finder, table) = (PortPackets(), PortTable())
        for (packet, seconds) in packets {
            finder.take(packet, at: seconds * 1_000_000_000, comments: { comments }, into: &table)
        }
        return table.series
    }

    @Test("A SYN is a choice, the same one again is none, nor is its answer")
    func connections() {
        let series = ports([
            (packet(.tcp, from: 40_000, to: 80), 1),
            (packet(.tcp, from: 80, to: 40_000, [.syn, .ack], isAnswer: true), 1),
            (packet(.tcp, from: 40_000, to: 80), 2), (packet(.tcp, from: 40_000, to: 80, sequence: 9), 3),
            (packet(.tcp, from: 40_002, to: 80, .ack), 4), (packet(.tcp, from: 700, to: 80), 5),
        ])
        #expect(series.map(\.ports) == [[40_000, 40_000]])
        #expect(series.map(\.key.side) == [.direct])
    }

    @Test("A datagram's port is a choice until it was silent for two minutes, whomever it talks to")
    func datagrams() {
        let series = ports([
            (packet(.udp, from: 40_001, to: 53), 1), (packet(.udp, from: 53, to: 40_001, isAnswer: true), 2),
            (packet(.udp, from: 40_001, to: 5300), 100), (packet(.udp, from: 5300, to: 40_001, isAnswer: true), 101),
            (packet(.udp, from: 40_001, to: 53), 400), (packet(.udp, from: 5353, to: 5353), 401),
        ])
        #expect(series.map(\.ports) == [[40_001, 40_001]])
    }

    @Test("A comment of Weir's says on which side of the relay the client was")
    func sides() {
        let packet = packet(.tcp, from: 40_000, to: 80)
        let asClient = "flow 1 client 10.0.0.2:40000 listener 10.0.0.1:80 egress 1.1.1.1:1 server 2.2.2.2:2"
        let asRelay =
            "flow 1 client 1.1.1.1:1 listener 2.2.2.2:2 egress 10.0.0.2:40000 server 10.0.0.1:80; process a/1 user b"
        #expect(ports([(packet, 1)], comments: ["x", asClient]).map(\.key.side) == [.client])
        #expect(ports([(packet, 1)], comments: [asRelay]).map(\.key.side) == [.egress])
    }

    @Test("Ports from 1,024 on are choices, of a datagram those that are not its destination's too")
    func privileged() {
        var (finder, table) = (PortPackets(), PortTable())
        for (transport, from, to) in [
            (.tcp, 1023, 80), (.tcp, 1024, 80), (.tcp, 5353, 5353), (.udp, 1023, 53), (.udp, 1024, 53),
            (.udp, 5353, 5353), (.udp, 5354, 5353),
        ] as [(Transport, UInt16, UInt16)] {
            finder.take(packet(transport, from: from, to: to), at: 0, comments: { [] }, into: &table)
        }
        #expect(table.series.map(\.ports) == [[1024, 5353], [1024, 5354]])
        #expect(finder.privileged == 3)
    }

    @Test("A port that was heard within two minutes is no choice, to the second; one without a time is of the last")
    func silence() {
        func ports(_ nanoseconds: [Int64?]) -> Int {
            var (finder, table) = (PortPackets(), PortTable())
            for time in nanoseconds {
                finder.take(packet(.udp, from: 40_001, to: 53), at: time, comments: { [] }, into: &table)
            }
            return table.count
        }
        let minutes: Int64 = 120_000_000_000
        #expect(ports([1, minutes]) == 1)
        #expect(ports([1, minutes + 1]) == 2)
        #expect(ports([1, minutes, 2 * minutes - 1]) == 1)
        #expect(ports([1, minutes, 2 * minutes]) == 2)
        #expect(ports([1, nil, minutes + 1]) == 2)
        #expect(ports([5, nil, 4, nil]) == 1)
    }

    @Test("An answer to a port keeps it, and is no choice of the one who answers")
    func answers() {
        let (asked, answered) = (
            packet(.udp, from: 40_001, to: 5300), packet(.udp, from: 5300, to: 40_001, isAnswer: true)
        )
        #expect(ports([(asked, 0), (answered, 100), (asked, 200), (answered, 201)]).map(\.ports) == [[40_001]])
        let late = ports([(asked, 0), (answered, 120), (asked, 121)])
        #expect(late.map(\.ports) == [[40_001, 40_001], [5300]])
        let first = ports([(answered, 0), (asked, 1), (answered, 2)])
        #expect(first.map(\.ports) == [[5300]])
    }

    @Test("No more connections and senders are kept than the limit, and what is known stays known")
    func limit() {
        var (finder, table) = (PortPackets(limit: 2), PortTable())
        for port in [40_000, 40_001, 40_002, 40_000, 40_003] as [UInt16] {
            for transport in [Transport.tcp, .udp] {
                finder.take(packet(transport, from: port, to: 80), at: 0, comments: { [] }, into: &table)
            }
        }
        #expect(table.series.map(\.ports) == [[40_000, 40_001, 40_002, 40_003], [40_000, 40_001]])
    }
}
