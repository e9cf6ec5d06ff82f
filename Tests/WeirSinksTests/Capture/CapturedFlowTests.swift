import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Chunks as packets")
struct CapturedFlowTests {
    private static let opening = [
        "client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1",
        "server up SYN 0", "server down SYN,ACK 0:1", "server up ACK 1:1",
    ]

    /// Tells what was written after a connection was opened on both legs.
    private func lines(_ talk: (inout CaptureDialogue) -> Void) throws -> [String] {
        var dialogue = CaptureDialogue()
        dialogue.open()
        talk(&dialogue)
        let lines = try dialogue.lines
        #expect(Array(lines.prefix(6)) == Self.opening)
        return Array(lines.dropFirst(6))
    }

    @Test("Writes a chunk on the leg that it came from, then on the other, each acknowledged once")
    func echo() throws {
        let lines = try lines {
            $0.chunk(.upstream, "hello")
            $0.chunk(.downstream, "hello, you")
            $0.chunk(.upstream, "x")
        }
        #expect(
            lines == [
                "client up PSH,ACK 1:1 (5)", "client down ACK 1:6", "server up PSH,ACK 1:1 (5)", "server down ACK 1:6",
                "server down PSH,ACK 1:6 (10)", "server up ACK 6:11",
                "client down PSH,ACK 1:6 (10)", "client up ACK 6:11",
                "client up PSH,ACK 6:11 (1)", "client down ACK 11:7",
                "server up PSH,ACK 6:11 (1)", "server down ACK 11:7",
            ]
        )
    }

    @Test("Gives the same number to the frames of both legs that hold the same bytes, and to no others")
    func numbers() throws {
        var dialogue = CaptureDialogue()
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 1, count: 70_000))
        let data = try dialogue.capture.packets.filter { !$0.payload.isEmpty }
        #expect(data.map(\.leg) == ["client", "client", "server", "server"])
        #expect(data[0].payload == data[2].payload && data[1].payload == data[3].payload)
        #expect(data[0].number == data[2].number && data[1].number == data[3].number)
        let all = try dialogue.capture.packets.compactMap(\.number)
        #expect(all.count == 12 && Set(all).count == 10)
    }

    @Test("Cuts a chunk so that no packet is longer than 65,535 bytes, PSH on the last piece, one acknowledgement")
    func pieces() throws {
        let lines = try lines { $0.chunk(.upstream, [UInt8](repeating: 0, count: 131_000)) }
        #expect(
            lines == [
                "client up ACK 1:1 (65495)", "client up ACK 65496:1 (65495)", "client up PSH,ACK 130991:1 (10)",
                "client down ACK 1:131001", "server up ACK 1:1 (65495)", "server up ACK 65496:1 (65495)",
                "server up PSH,ACK 130991:1 (10)", "server down ACK 1:131001",
            ]
        )
    }

    @Test("Cuts both legs alike where one is IPv4 and the other IPv6")
    func mixedFamilies() throws {
        let path = FlowPath(
            client: Playbook.path.client,
            listener: Playbook.path.listener,
            egress: Endpoint(address: .loopbackV6, port: 42_332),
            server: Endpoint(address: .loopbackV6, port: 65_432)
        )
        var dialogue = CaptureDialogue(path: path)
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 0, count: 65_476))
        let packets = try dialogue.capture.packets
        #expect(packets.filter { !$0.payload.isEmpty }.map(\.payload.count) == [65_475, 1, 65_475, 1])
        #expect(packets.allSatisfy { $0.hasValidChecksums })
        #expect(packets.map(\.internetLength).max() == 65_535)
    }

    @Test("Cuts at --mtu, which the handshake announces", arguments: [(1500, 1460), (576, 536)])
    func mtu(size: Int, segment: Int) throws {
        var dialogue = CaptureDialogue { $0.largestPacket = size }
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 0, count: 2 * segment + 1))
        let packets = try dialogue.capture.packets
        #expect(
            packets.filter { !$0.payload.isEmpty }.map(\.payload.count) == [segment, segment, 1, segment, segment, 1]
        )
        let options = try #require(packets[0].tcp?.options.map { $0 })
        #expect(options == [.maximumSegmentSize(UInt16(segment)), .noOperation, .windowScale(7)])
        #expect(packets.allSatisfy { $0.internetLength <= size })
    }

    @Test("Says that a packet stands for several where an Ethernet could not carry it, and not on the loopback")
    func segmented() throws {
        let far = FlowPath(
            client: Playbook.path.client,
            listener: Playbook.path.listener,
            egress: Endpoint(address: IPAddress(v4: 0x0a00_0002), port: 42_332),
            server: Endpoint(address: IPAddress(v4: 0x0a00_0005), port: 80)
        )
        var dialogue = CaptureDialogue(path: far)
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 0, count: 1460))
        dialogue.chunk(.downstream, [UInt8](repeating: 0, count: 1461))
        let packets = try dialogue.capture.packets
        let segmented = packets.filter { $0.flags.contains(.segmented) }
        #expect(segmented.map(\.leg) == ["server"] && segmented.map(\.payload.count) == [1461])
        #expect(
            packets.allSatisfy {
                $0.flags.direction == ($0.source.port < $0.destination.port ? 2 : 1) || $0.leg == "server"
            }
        )
    }

    @Test("Leaves a gap in the sequence numbers where chunks were left out")
    func gap() throws {
        let lines = try lines {
            $0.chunk(.upstream, "abc")
            _ = $0.next(.upstream, 100)
            _ = $0.next(.upstream, 7)
            $0.chunk(.upstream, "de")
        }
        #expect(
            lines == [
                "client up PSH,ACK 1:1 (3)", "client down ACK 1:4", "server up PSH,ACK 1:1 (3)", "server down ACK 1:4",
                "client up PSH,ACK 111:1 (2)", "client down ACK 1:113",
                "server up PSH,ACK 111:1 (2)", "server down ACK 1:113",
            ]
        )
    }

    @Test("Leaves a gap for a chunk whose bytes are not there")
    func withoutBytes() throws {
        let lines = try lines {
            $0.tell(.forwarded($0.next(.upstream, 50)))
            $0.chunk(.upstream, "de")
        }
        #expect(lines.first == "client up PSH,ACK 51:1 (2)" && lines.count == 4)
    }

    @Test("Goes on after 4 GiB with sequence numbers that begin again")
    func wrap() throws {
        let lines = try lines {
            $0.chunk(.upstream, "a")
            for _ in 0..<4 { _ = $0.next(.upstream, 1 << 30) }
            $0.chunk(.upstream, "b")
        }
        #expect(lines[0] == "client up PSH,ACK 1:1 (1)" && lines[4] == "client up PSH,ACK 2:1 (1)")
        #expect(lines[5] == "client down ACK 1:3")
        // And across the border of 32 bits itself, wherever the first number is.
        var dialogue = CaptureDialogue()
        dialogue.open()
        let first = try #require(dialogue.capture.packets.first?.tcp?.sequenceNumber)
        _ = dialogue.next(.upstream, Int(UInt32.max - first) - 2)
        dialogue.chunk(.upstream, "abcdef")
        dialogue.chunk(.upstream, "g")
        let numbers = try dialogue.capture.packets.filter { $0.leg == "client" && !$0.payload.isEmpty }
        #expect(numbers.compactMap(\.tcp?.sequenceNumber) == [.max - 1, 4])
        #expect(numbers.allSatisfy { $0.hasValidChecksums })
    }

    @Test("Writes a held chunk when it came on one leg, and when it went on on the other")
    func held() throws {
        let lines = try lines {
            var chunk = $0.next(.upstream, 3)
            chunk.isTampered = true
            $0.tell(.toxic(ToxicRecord(direction: .upstream, name: "x", type: "latency", effect: .met(acts: true))))
            $0.tell(.received(chunk), Array("abc".utf8))
            $0.chunk(.downstream, "z")
            $0.tell(.ended(.upstream))
            $0.tell(.forwarded(chunk), Array("abc".utf8))
            $0.tell(.endForwarded(.upstream))
        }
        #expect(
            lines == [
                "client up PSH,ACK 1:1 (3)", "client down ACK 1:4",
                "server down PSH,ACK 1:1 (1)", "server up ACK 1:2", "client down PSH,ACK 1:4 (1)", "client up ACK 4:2",
                "client up FIN,ACK 4:2", "client down ACK 2:5",
                "server up PSH,ACK 1:2 (3)", "server down ACK 2:4", "server up FIN,ACK 4:2", "server down ACK 2:5",
            ]
        )
    }

    @Test("Writes what an echo server sends back as packets of its own")
    func echoServer() throws {
        var dialogue = CaptureDialogue(path: FlowPath(client: Playbook.path.client, listener: Playbook.path.listener))
        dialogue.tell(.opened)
        dialogue.chunk(.upstream, "hello")
        dialogue.tell(.ended(.upstream))
        dialogue.tell(.ended(.downstream))
        dialogue.close(.finished)
        #expect(
            try dialogue.lines == [
                "client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1",
                "client up PSH,ACK 1:1 (5)", "client down ACK 1:6", "client down PSH,ACK 1:6 (5)", "client up ACK 6:6",
                "client up FIN,ACK 6:6", "client down ACK 6:7", "client down FIN,ACK 6:7", "client up ACK 7:7",
            ]
        )
        let numbers = try dialogue.capture.packets.compactMap(\.number)
        #expect(Set(numbers).count == numbers.count)
    }
}

@Suite("Datagrams as packets")
struct CapturedDatagramTests {
    @Test("Writes each datagram on both legs, also an empty one and the longest", arguments: [0, 1, 1473, 65_507])
    func datagram(size: Int) throws {
        var dialogue = CaptureDialogue(.udp) { $0.largestPacket = 1500 }
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 0xa5, count: size))
        dialogue.chunk(.downstream, "answer")
        dialogue.close(.idle)
        let capture = try dialogue.capture
        #expect(
            capture.lines == [
                "client up datagram (\(size))", "server up datagram (\(size))",
                "server down datagram (6)", "client down datagram (6)",
            ]
        )
        #expect(capture.packets.allSatisfy { $0.hasValidChecksums })
        #expect(capture.packets[0].number == capture.packets[1].number)
        #expect(capture.packets[2].number == capture.packets[3].number)
        #expect(capture.packets[1].number != capture.packets[2].number)
    }

    @Test("Writes 65,527 bytes over IPv6, and says that they do not go on over IPv4")
    func longestOverIPv6() throws {
        let path = FlowPath(
            client: Endpoint(address: .loopbackV6, port: 1000),
            listener: Endpoint(address: .loopbackV6, port: 2000),
            egress: Playbook.path.egress,
            server: Playbook.path.server
        )
        var dialogue = CaptureDialogue(.udp, path: path)
        dialogue.open()
        dialogue.chunk(.upstream, [UInt8](repeating: 0, count: 65_527))
        dialogue.chunk(.upstream, "next")
        let packets = try dialogue.capture.packets
        #expect(packets.map { "\($0.leg) \($0.payload.count)" } == ["client 65527", "client 4", "server 4"])
        #expect(packets[2].comments.last == "a datagram of 65527 bytes upstream is longer than this leg carries")
        #expect(packets.allSatisfy { $0.hasValidChecksums })
    }

    @Test("Writes a checksum that comes out as 0 as 0xffff")
    func zeroChecksum() throws {
        var dialogue = CaptureDialogue(.udp)
        dialogue.open()
        dialogue.chunk(.upstream, [0, 0])
        let plain = try #require(dialogue.capture.packets.first)
        let sum = try UDPHeader(parsing: plain.bytes.span.bytes, at: 34).checksum
        dialogue.chunk(.upstream, [UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum)])
        let last = try #require(dialogue.capture.packets.filter { $0.leg == "client" }.last)
        #expect(try UDPHeader(parsing: last.bytes.span.bytes, at: 34).checksum == 0xffff)
        #expect(last.hasValidChecksums)
    }

    @Test("Says with the next packet what was lost and what was refused")
    func notes() throws {
        var dialogue = CaptureDialogue(.udp)
        dialogue.open()
        dialogue.chunk(.upstream, "a")
        dialogue.tell(.refused(.connectionRefused))
        dialogue.tell(.dropped(DropRecord(direction: .downstream, bytes: 0, datagrams: 3, reason: .receiveBufferFull)))
        dialogue.chunk(.upstream, "b")
        dialogue.chunk(.downstream, "c")
        let comments = try dialogue.capture.packets.map { $0.comments.filter { !$0.hasPrefix("flow ") } }
        #expect(
            comments == [
                [], [], ["3 datagrams downstream did not reach the receiver: receive buffer full"],
                ["an earlier datagram to 127.0.0.1:65432 was refused: connection refused (ECONNREFUSED)"], [], [],
            ]
        )
    }

    @Test("Writes what an echo server sends back")
    func echoServer() throws {
        var dialogue = CaptureDialogue(
            .udp,
            path: FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)
        )
        dialogue.tell(.opened)
        dialogue.chunk(.upstream, "ping")
        dialogue.close(.idle)
        let packets = try dialogue.capture.packets
        #expect(try dialogue.lines == ["client up datagram (4)", "client down datagram (4)"])
        #expect(packets[0].source == packets[1].destination && packets[0].payload == packets[1].payload)
    }
}
