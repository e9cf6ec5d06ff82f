import Support
import Testing
import WeirEngine
import WeirWire

@Suite("How flows begin and end as packets")
struct CapturedFlowEndsTests {
    private static let opening = 6

    /// Tells what was written after a connection was opened on both legs.
    private func lines(_ talk: (inout CaptureDialogue) -> Void) throws -> [String] {
        var dialogue = CaptureDialogue()
        dialogue.open()
        talk(&dialogue)
        return Array(try dialogue.lines.dropFirst(Self.opening))
    }

    private static func toxic(_ direction: Direction, _ effect: ToxicRecord.Effect) -> ToxicRecord {
        ToxicRecord(direction: direction, name: "t", type: "latency", effect: effect)
    }

    @Test("Writes each half's end when it comes, and bytes the other way after it")
    func halfClose() throws {
        let lines = try lines {
            $0.tell(.ended(.upstream))
            $0.chunk(.downstream, "late")
            $0.tell(.ended(.downstream))
            $0.close(.finished)
        }
        #expect(
            lines == [
                "client up FIN,ACK 1:1", "client down ACK 1:2", "server up FIN,ACK 1:1", "server down ACK 1:2",
                "server down PSH,ACK 1:2 (4)", "server up ACK 2:5",
                "client down PSH,ACK 1:2 (4)", "client up ACK 2:5",
                "server down FIN,ACK 5:2", "server up ACK 2:6", "client down FIN,ACK 5:2", "client up ACK 2:6",
            ]
        )
    }

    @Test("Writes a reset on the leg where it came and on the other")
    func resets() throws {
        let client = try lines {
            $0.chunk(.upstream, "abc")
            $0.close(.clientReset)
        }
        #expect(client.suffix(2) == ["client up RST,ACK 4:1", "server up RST,ACK 4:1"])
        let server = try lines {
            $0.chunk(.downstream, "abc")
            $0.close(.serverReset)
        }
        #expect(server.suffix(2) == ["server down RST,ACK 4:1", "client down RST,ACK 4:1"])
    }

    @Test("A dial that failed before its client was connected has packets of the relay alone")
    func failedDial() throws {
        var path = Playbook.path
        path.client.port = 0
        var dialogue = CaptureDialogue(path: path)
        dialogue.tell(.opened)
        dialogue.tell(.refused(.connectionRefused))
        dialogue.close(.refused)
        #expect(try dialogue.lines == ["server up SYN 0", "server down RST,ACK 0:1"])
        path.egress = nil
        dialogue = CaptureDialogue(path: path)
        dialogue.tell(.opened)
        dialogue.tell(.refused(.timedOut))
        dialogue.close(.refused)
        #expect(try dialogue.lines.isEmpty)
    }

    @Test("Writes that the relay resets both sides", arguments: [CloseReason.idle, .shutdown, .evicted])
    func relayResets(reason: CloseReason) throws {
        #expect(try lines { $0.close(reason) } == ["client down RST,ACK 1:1", "server up RST,ACK 1:1"])
    }

    @Test(
        "Where toxics may hold an end back, the receiver's FIN is written when the end goes on, and else at once",
        arguments: [
            (ToxicRecord.Effect?.some(.met(acts: true)), true), (.met(acts: false), true),
            (.changed(acts: true), true), (.changed(acts: false), true), (.removed, true), (.closed, true),
            (.reset, true), (nil, false),
        ],
        Direction.allCases
    )
    func heldEnd(effect: (ToxicRecord.Effect?, waits: Bool), direction: Direction) throws {
        let lines = try lines {
            if let effect = effect.0 { $0.tell(.toxic(Self.toxic(direction, effect))) }
            $0.tell(.ended(direction))
            $0.chunk(direction.opposite, "late")
            $0.tell(.endForwarded(direction))
        }
        let (source, receiver) = direction == .upstream ? ("client", "server") : ("server", "client")
        let fin = lines.indices.filter { lines[$0].contains("FIN") }
        let late = try #require(lines.firstIndex { $0.hasSuffix("(4)") })
        #expect(fin.map { String(lines[$0].prefix(6)) } == [source, receiver])
        #expect(fin[0] < late && (fin[1] > late) == effect.waits, "\(lines)")
    }

    @Test(
        "The other direction's end waits only for a toxic that ends the whole flow",
        arguments: [(ToxicRecord.Effect.met(acts: true), false), (.changed(acts: true), false), (.closed, true)],
        Direction.allCases
    )
    func otherEnd(effect: (ToxicRecord.Effect, waits: Bool), direction: Direction) throws {
        let lines = try lines {
            $0.tell(.toxic(Self.toxic(direction, effect.0)))
            $0.tell(.ended(direction.opposite))
            $0.chunk(direction, "late")
            $0.tell(.endForwarded(direction.opposite))
        }
        let fin = lines.indices.filter { lines[$0].contains("FIN") }
        let late = try #require(lines.firstIndex { $0.hasSuffix("(4)") })
        #expect(fin.count == 2 && fin[0] < late && (fin[1] > late) == effect.waits, "\(lines)")
    }

    @Test("Says with the reset how many bytes did not arrive")
    func dropped() throws {
        var dialogue = CaptureDialogue()
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        dialogue.tell(.dropped(DropRecord(direction: .upstream, bytes: 2, reason: .reset)))
        dialogue.close(.serverReset)
        let packets = try dialogue.capture.packets
        #expect(packets[packets.count - 2].leg == "server")
        #expect(packets[packets.count - 2].comments == ["2 bytes upstream did not reach the receiver: reset"])
        #expect(packets[packets.count - 1].comments == [])
    }

    @Test("Writes a refused dial as SYN and RST, and the client's reset")
    func refused() throws {
        var dialogue = CaptureDialogue()
        dialogue.tell(.opened)
        dialogue.advance(.milliseconds(3))
        dialogue.tell(.refused(.connectionRefused))
        dialogue.close(.refused)
        #expect(
            try dialogue.lines == [
                "client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1",
                "server up SYN 0", "server down RST,ACK 0:1", "client down RST,ACK 1:1",
            ]
        )
        let packets = try dialogue.capture.packets
        #expect(packets[4].tcp?.sequenceNumber == 0)
        #expect(packets[4].time - packets[0].time == 3_000_000)
        #expect(packets.allSatisfy { $0.hasValidChecksums })
    }

    @Test("Writes no answer to a dial that got none, and says why with the client's reset")
    func timedOut() throws {
        var dialogue = CaptureDialogue()
        dialogue.tell(.opened)
        dialogue.tell(.refused(.timedOut))
        dialogue.close(.refused)
        #expect(try dialogue.lines.suffix(2) == ["server up SYN 0", "client down RST,ACK 1:1"])
        let comments = try dialogue.capture.packets.last?.comments
        #expect(comments == ["dialing 127.0.0.1:65432 failed: timed out (ETIMEDOUT)"])
    }

    @Test("Says with the client's reset that a dial without an egress was refused, and not if its answer is a packet")
    func refusedWithoutEgress() throws {
        var path = Playbook.path
        path.egress = nil
        for (path, comments) in [
            (path, ["dialing 127.0.0.1:65432 failed: connection refused (ECONNREFUSED)"]), (Playbook.path, []),
        ] {
            var dialogue = CaptureDialogue(path: path)
            dialogue.tell(.opened)
            dialogue.tell(.refused(.connectionRefused))
            dialogue.close(.refused)
            let last = try #require(dialogue.capture.packets.last)
            #expect(last.leg == "client" && last.comments == comments)
        }
    }

    @Test("A dial is a new one if one of its ends is, and else the same")
    func sameEnds() throws {
        var (egress, server) = (Playbook.path, Playbook.path)
        egress.egress?.port += 1
        server.server?.port += 1
        let refused = ["server up SYN 0", "server down RST,ACK 0:1"]
        for (other, count) in [(Playbook.path, 1), (egress, 2), (server, 2)] {
            var dialogue = CaptureDialogue()
            dialogue.tell(.opened)
            dialogue.tell(.refused(.connectionRefused))
            dialogue.tell(.refused(.connectionRefused), path: other)
            #expect(try dialogue.lines.dropFirst(3) == (0..<count).flatMap { _ in refused }[...])
            var connected = CaptureDialogue()
            connected.tell(.opened)
            connected.tell(.connected(dial: .zero, isRerouted: true), path: other)
            #expect(try connected.lines.count { $0 == "server up SYN 0" } == count)
            #expect(try connected.lines.suffix(2) == ["server down SYN,ACK 0:1", "server up ACK 1:1"])
        }
    }

    @Test("Writes every attempt to reach a name's addresses as a connection of its own")
    func rerouted() throws {
        var second = Playbook.path
        second.egress = Endpoint(address: .loopbackV6, port: 50_000)
        second.server = Endpoint(address: .loopbackV6, port: 65_432)
        var third = second
        third.egress?.port = 50_001
        third.server?.port = 65_433
        var dialogue = CaptureDialogue()
        dialogue.tell(.opened)
        dialogue.tell(.refused(.connectionRefused))
        dialogue.tell(.refused(.connectionRefused), path: second)
        dialogue.advance(.milliseconds(5))
        dialogue.tell(.connected(dial: .milliseconds(2), isRerouted: true), path: third)
        dialogue.path = third
        dialogue.chunk(.upstream, "a")
        let capture = try dialogue.capture
        #expect(
            capture.lines.dropFirst(3) == [
                "server up SYN 0", "server down RST,ACK 0:1", "server up SYN 0", "server down RST,ACK 0:1",
                "server up SYN 0", "server down SYN,ACK 0:1", "server up ACK 1:1",
                "client up PSH,ACK 1:1 (1)", "client down ACK 1:2", "server up PSH,ACK 1:1 (1)", "server down ACK 1:2",
            ]
        )
        let dials = capture.packets.filter { $0.leg == "server" && $0.tcp?.flags == .syn }
        #expect(dials.map(\.destination) == [Playbook.path.server, second.server, third.server])
        #expect(dials.allSatisfy { $0.comments.first?.hasPrefix("flow 7 client") == true })
        #expect(dials[2].time - capture.packets[0].time == 3_000_000)
    }

    @Test("Says that a dial met itself, and writes no answer to it")
    func selfConnect() throws {
        var path = Playbook.path
        path.egress = path.server
        var dialogue = CaptureDialogue(path: path)
        dialogue.tell(.opened)
        dialogue.tell(.refused(.connectionRefused))
        dialogue.close(.refused)
        let packets = try dialogue.capture.packets
        #expect(try dialogue.lines.suffix(2) == ["server up SYN 0", "client down RST,ACK 1:1"])
        #expect(packets[3].comments.first?.hasSuffix("and met itself") == true)
        #expect(packets[4].comments.first?.hasPrefix("dialing 127.0.0.1:65432 failed") == true)
    }

    @Test("Writes no server leg where the dial had no egress, nor a reset where there was no connection")
    func noDial() throws {
        var path = Playbook.path
        path.egress = nil
        var dialogue = CaptureDialogue(path: path)
        dialogue.tell(.opened)
        dialogue.tell(.refused(ErrorNumber(24)))
        dialogue.close(.refused)
        #expect(try dialogue.lines.dropFirst(3) == ["client down RST,ACK 1:1"])
        #expect(try dialogue.capture.packets[0].comments[0].hasSuffix("egress none server 127.0.0.1:65432"))
        var dialing = CaptureDialogue()
        dialing.tell(.opened)
        dialing.close(.clientReset)
        #expect(try dialing.lines.dropFirst(3) == ["server up SYN 0", "client up RST,ACK 1:1"])
    }

    @Test("A flow that is closed on request ends both sides itself, and does so once")
    func requested() throws {
        let both = [
            "server up FIN,ACK 1:1", "server down ACK 1:2", "client down FIN,ACK 1:1", "client up ACK 1:2",
        ]
        #expect(try lines { $0.close(.requested) } == both)
        let lines = try lines {
            $0.tell(.ended(.upstream))
            $0.close(.requested)
        }
        #expect(lines.count == 6 && lines.suffix(2) == ["client down FIN,ACK 1:2", "client up ACK 2:2"])
    }

    @Test("A toxic resets what has not ended by itself, in both directions")
    func resetByToxic() throws {
        #expect(try lines { $0.close(.toxic) } == ["client down RST,ACK 1:1", "server up RST,ACK 1:1"])
        for direction in Direction.allCases {
            let half = try lines {
                $0.tell(.ended(direction))
                $0.close(.toxic)
            }
            #expect(half.count == 6 && half.suffix(2).allSatisfy { $0.contains("RST,ACK") })
            let held = try lines {
                $0.tell(.toxic(Self.toxic(direction, .met(acts: true))))
                for direction in Direction.allCases { $0.tell(.ended(direction)) }
                $0.close(.toxic)
            }
            #expect(held.count == 8 && held.suffix(2).allSatisfy { $0.contains("RST,ACK") })
            let passed = try lines {
                $0.tell(.toxic(Self.toxic(direction, .met(acts: true))))
                for direction in Direction.allCases { $0.tell(.ended(direction)) }
                $0.tell(.endForwarded(direction))
                $0.close(.toxic)
            }
            #expect(passed.count == 8 && !passed.contains { $0.contains("RST") })
        }
    }

    @Test(
        "An end that toxics still hold when the flow has finished goes on then, and no other does",
        arguments: Direction.allCases
    )
    func finishedWhileHeld(direction: Direction) throws {
        let lines = try lines {
            $0.tell(.toxic(Self.toxic(direction, .met(acts: true))))
            $0.tell(.ended(direction))
            $0.close(.finished)
        }
        let (source, receiver) = direction == .upstream ? ("client", "server") : ("server", "client")
        let (way, back) = direction == .upstream ? ("up", "down") : ("down", "up")
        #expect(
            lines == [source, receiver].flatMap { ["\($0) \(way) FIN,ACK 1:1", "\($0) \(back) ACK 1:2"] }
        )
    }

    @Test("An echo server's end waits for what toxics hold")
    func heldEcho() throws {
        var dialogue = CaptureDialogue(path: FlowPath(client: Playbook.path.client, listener: Playbook.path.listener))
        dialogue.tell(.opened)
        dialogue.tell(.toxic(Self.toxic(.upstream, .met(acts: true))))
        var chunk = dialogue.next(.upstream, 3)
        chunk.isTampered = true
        dialogue.tell(.received(chunk), Array("abc".utf8))
        for direction in Direction.allCases { dialogue.tell(.ended(direction, isDelayed: true)) }
        dialogue.tell(.forwarded(chunk), Array("abc".utf8))
        dialogue.tell(.endForwarded(.upstream))
        dialogue.close(.finished)
        #expect(
            try dialogue.lines.dropFirst(3) == [
                "client up PSH,ACK 1:1 (3)", "client down ACK 1:4", "client up FIN,ACK 4:1", "client down ACK 1:5",
                "client down PSH,ACK 1:5 (3)", "client up ACK 5:4", "client down FIN,ACK 4:5", "client up ACK 5:5",
            ]
        )
    }

    @Test("Sends nothing behind an own end, and ends a direction once")
    func nothingBehindTheEnd() throws {
        let lines = try lines {
            $0.tell(.ended(.upstream))
            $0.tell(.ended(.upstream))
            $0.chunk(.upstream, "late")
            $0.close(.finished)
        }
        #expect(lines.count == 4)
    }

    @Test("Begins a flow that it has not seen the beginning of with a handshake")
    func unknownFlow() throws {
        var dialogue = CaptureDialogue()
        dialogue.tell(.connected(dial: .zero, isRerouted: false))
        dialogue.chunk(.upstream, "abc")
        #expect(try dialogue.lines.count == 10)
    }
}
