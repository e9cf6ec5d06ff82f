import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What comments tell of a flow")
struct CapturedFlowNotesTests {
    private static let echoPath = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)

    /// Returns the comments of each packet of one datagram each way after something happened, without introductions.
    private func comments(
        path: FlowPath = Playbook.path,
        _ happenings: [FlowRecord.Happening]
    ) throws -> [[String]] {
        var dialogue = CaptureDialogue(.udp, path: path)
        dialogue.tell(.opened)
        for happening in happenings { dialogue.tell(happening) }
        dialogue.chunk(.upstream, "up")
        if path.server != nil { dialogue.chunk(.downstream, "down") }
        #expect(try dialogue.capture.error == nil)
        return try dialogue.capture.packets.map { $0.comments.filter { !$0.hasPrefix("flow ") } }
    }

    @Test(
        "A toxic's effect is a comment on the leg from which its bytes come, and the end of all on the client's",
        arguments: [
            (.met(acts: true), "toxic 'x' acts ", false), (.changed(acts: true), "toxic 'x' acts ", false),
            (.met(acts: false), nil, false), (.changed(acts: false), nil, false),
            (.removed, "toxic 'x' was removed", false), (.closed, "toxic 'x' ends the flow", true),
            (.reset, "toxic 'x' resets both sides", true),
        ] as [(ToxicRecord.Effect, String?, Bool)],
        Direction.allCases
    )
    func toxics(effect: (ToxicRecord.Effect, String?, Bool), direction: Direction) throws {
        let text = effect.1.map { $0.hasSuffix(" ") ? "\($0)\(direction)" : $0 }
        let isClient = direction == .upstream || effect.2
        let found = try comments([Sample.toxic(direction, effect.0)])
        let list = text.map { [$0] } ?? []
        #expect(found == (isClient ? [list, [], [], []] : [[], list, [], []]))
        // An echo server has no other leg.
        #expect(try comments(path: Self.echoPath, [Sample.toxic(direction, effect.0)]) == [list, []])
    }

    @Test(
        "A loss is a comment on the leg that it did not reach, with what is known of its size",
        arguments: [
            (5, 0, "5 bytes "), (5, 2, "2 datagrams, 5 bytes "), (1, 1, "1 datagram, 1 byte "), (0, 3, "3 datagrams "),
            (0, 0, "0 bytes "),
        ] as [(UInt64, UInt64, String)],
        Direction.allCases
    )
    func drops(loss: (UInt64, UInt64, String), direction: Direction) throws {
        let drop = DropRecord(direction: direction, bytes: loss.0, datagrams: loss.1, reason: .shutdown)
        let text = "\(loss.2)\(direction) did not reach the receiver: shutdown"
        let isClient = direction == .downstream
        #expect(try comments([.dropped(drop)]) == (isClient ? [[text], [], [], []] : [[], [text], [], []]))
        #expect(try comments(path: Self.echoPath, [.dropped(drop)]) == [[text], []])
    }

    @Test("Eight notes wait for a packet, in their order, and further ones are left out")
    func bound() throws {
        for count in [7, 8, 9, 12] {
            let all = (0..<count).map {
                FlowRecord.Happening.dropped(DropRecord(direction: .upstream, bytes: UInt64($0), reason: .reset))
            }
            let found = try comments(all)
            #expect(found.map(\.count) == [0, min(8, count), 0, 0])
            #expect(
                found[1]
                    == (0..<min(8, count)).map {
                        "\($0) byte\($0 == 1 ? "" : "s") upstream did not reach the receiver: reset"
                    }
            )
        }
    }

    @Test("Notes follow the introduction, and are not repeated in the next file, which has the introduction")
    func files() throws {
        let introduction =
            "flow 7 client 127.0.0.1:51514 listener 127.0.0.1:9000 egress 127.0.0.1:42332 server 127.0.0.1:65432"
        let reset = DropRecord(direction: .downstream, bytes: 1, reason: .reset)
        let note = "1 byte downstream did not reach the receiver: reset"
        var dialogue = CaptureDialogue(.udp)
        dialogue.tell(.opened)
        dialogue.tell(.dropped(reset))
        for _ in 0..<2 { dialogue.chunk(.upstream, "a") }
        #expect(try dialogue.capture.packets.map(\.comments) == [[introduction, note], [introduction], [], []])
        dialogue.begin()
        dialogue.chunk(.upstream, "a")
        dialogue.tell(.dropped(reset))
        dialogue.chunk(.upstream, "a")
        #expect(try dialogue.capture.packets.map(\.comments) == [[introduction], [introduction], [note], []])
    }

    @Test("The introduction names the client's process, if it was found")
    func process() throws {
        let process = ClientProcess(identifier: 4711, name: "curl", user: "root")
        for (answer, suffix) in [(ProcessAnswer.found(process), "; process curl/4711 user root"), (.unknown, "")] {
            var dialogue = CaptureDialogue(.udp) { $0.process = { $0.rawValue == 7 ? answer : .unknown } }
            dialogue.open()
            dialogue.chunk(.upstream, "a")
            let comments = try dialogue.capture.packets.map(\.comments)
            #expect(
                comments.count == 2
                    && comments.allSatisfy { $0.count == 1 && $0[0].hasSuffix("127.0.0.1:65432" + suffix) }
            )
        }
    }

    @Test("What the client sends on its own leg has its process, of any thread", arguments: Transport.allCases)
    func senders(transport: Transport) throws {
        let process = ClientProcess(identifier: 4711, name: "curl", user: "root")
        for answer in [ProcessAnswer.found(process), .unknown] {
            var dialogue = CaptureDialogue(transport) { $0.process = { _ in answer } }
            dialogue.open()
            dialogue.chunk(.upstream, "up")
            dialogue.chunk(.downstream, "down")
            let packets = try dialogue.capture.packets
            #expect(packets.contains { $0.process != nil } == (answer != .unknown))
            for packet in packets {
                let isClient = packet.leg == "client" && packet.source == Playbook.path.client
                let expected = isClient && answer != .unknown ? PacketProcess(process: 4711, thread: 0) : nil
                #expect(packet.process == expected, "\(packet)")
            }
        }
    }

    @Test(
        "A datagram's other endpoint is on the server's leg, which the client does not know",
        arguments: Direction.allCases
    )
    func peers(direction: Direction) throws {
        var dialogue = CaptureDialogue(.udp)
        dialogue.open()
        var chunk = dialogue.next(direction, 3)
        chunk.peer = Sample.peer
        dialogue.tell(.forwarded(chunk), Array("abc".utf8))
        let path = Playbook.path
        let ends = try dialogue.capture.packets.map { "\($0.leg) \($0.source) \($0.destination)" }
        let client = [path.client, path.listener].map(\.description)
        let server = [path.egress?.description ?? "", Sample.peer.description]
        let isUp = direction == .upstream
        let lines = [("client", client), ("server", server)].map { leg, ends in
            "\(leg) \(isUp ? ends[0] : ends[1]) \(isUp ? ends[1] : ends[0])"
        }
        #expect(ends == (isUp ? lines : lines.reversed()))
    }

    @Test("A UDP flow's ends, resets and refusals are no packets")
    func noPackets() throws {
        for reason in CloseReason.allCases {
            var dialogue = CaptureDialogue(.udp)
            dialogue.open()
            for direction in Direction.allCases {
                dialogue.tell(.ended(direction))
                dialogue.tell(.endForwarded(direction))
            }
            dialogue.tell(.refused(.connectionRefused))
            dialogue.close(reason)
            #expect(try dialogue.capture.packets.isEmpty)
        }
    }
}
