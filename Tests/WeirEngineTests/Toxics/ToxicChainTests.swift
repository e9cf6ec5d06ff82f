import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("A chain of toxics")
struct ToxicChainTests {
    @Test("Releases a delayed chunk at its due time, and records it then")
    func delay() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .arrived(.upstream, 0, at: 0, 5), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(99))
        flow(.wake, gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
        flow(.sent(.upstream, 5))
    }

    @Test("Leaves the other direction alone")
    func otherDirection() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.downstream), "hey", gives: .data(.downstream, 0, at: 0, 3), .send(.downstream))
    }

    @Test("Never lets a chunk overtake one that is due later")
    func noReordering() {
        let delays = Delays(.milliseconds(100), .milliseconds(10))
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [delays]])
        flow(.received(.upstream), "slow", gives: .arrived(.upstream, 0, at: 0, 4), .wake(at: .milliseconds(100)))
        flow(.received(.upstream), "fast", gives: .arrived(.upstream, 1, at: 4, 4))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .letGo(.upstream, 1, at: 4, 4), .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "fast")
    }

    @Test("Hands a delayed chunk to the next toxic at its due time")
    func chainsDelays() {
        let chain: [any Toxic] = [Delays(.milliseconds(100)), Delays(.milliseconds(50))]
        var flow = Playbook.connected(.udp, toxics: [.downstream: chain])
        flow(.received(.downstream), "hello", gives: .arrived(.downstream, 0, at: 0, 5), .wake(at: .milliseconds(100)))
        // The relay wakes late: the second delay counts from the time when the first was over.
        flow.advance(by: .milliseconds(120))
        flow(.wake, gives: .wake(at: .milliseconds(150)))
    }

    @Test("Waits for room, not for time, where the kernel does not take what is due")
    func blocked() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .arrived(.upstream, 0, at: 0, 5), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
        // The kernel takes nothing: to be woken again at once would spin.
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .sendQueued(.upstream))
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 2), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "llo")
    }

    @Test("Drops what a toxic drops")
    func drop() {
        var flow = Playbook.connected(.udp, toxics: [.upstream: [BlackholeToxic()]])
        flow(
            .received(.upstream),
            "hello",
            gives: .arrived(.upstream, 0, at: 0, 5),
            .dropped(.upstream, 5, datagrams: 1, .toxic("upstream-0"))
        )
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Sends the pieces of a split stream one by one, and no empty one")
    func split() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Splits(size: 2)]])
        flow(
            .received(.upstream),
            "four",
            gives: .arrived(.upstream, 0, at: 0, 4),
            .letGo(.upstream, 0, at: 0, 2),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 2), gives: .letGo(.upstream, 1, at: 2, 2), .sendQueued(.upstream))
        flow(.sent(.upstream, 2))
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Sends the pieces of a split datagram as datagrams, an empty one too")
    func splitDatagram() {
        var flow = Playbook.connected(.udp, toxics: [.upstream: [Splits(size: 2)]])
        flow(
            .received(.upstream),
            "ab",
            gives: .arrived(.upstream, 0, at: 0, 2),
            .letGo(.upstream, 0, at: 0, 2),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 2), gives: .letGo(.upstream, 1, at: 2, 0), .sendQueued(.upstream))
        flow(.sent(.upstream, 0))
    }

    @Test("Bounds what delayed datagrams may hold")
    func bound() {
        let delay: [Direction: [any Toxic]] = [.upstream: [Delays(.seconds(1))]]
        var flow = Playbook.connected(.udp, toxics: delay) { $0.toxicBound = 300 }
        flow(.received(.upstream), count: 172, gives: .arrived(.upstream, 0, at: 0, 172), .wake(at: .seconds(1)))
        flow(.received(.upstream), count: 1, gives: .dropped(.upstream, 1, datagrams: 1, .queueFull))
    }

    @Test("Pauses the source of a stream that a toxic holds")
    func backpressure() {
        let delay: [Direction: [any Toxic]] = [.upstream: [Delays(.seconds(1))]]
        var flow = Playbook.connected(.tcp, toxics: delay) { $0.toxicBound = 138 }
        flow(
            .received(.upstream),
            count: 10,
            gives: .arrived(.upstream, 0, at: 0, 10),
            .pause(.upstream),
            .wake(at: .seconds(1))
        )
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 10), .sendQueued(.upstream))
        flow(.sent(.upstream, 6), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .resume(.upstream))
    }

    @Test("Reads a stream again once three quarters of the bound are left, and not before")
    func lowMark() {
        // Each chunk counts 138: four are at the bound, three are at the mark.
        let delay: [Direction: [any Toxic]] = [.upstream: [Delays(.milliseconds(100), .seconds(1))]]
        var flow = Playbook.connected(.tcp, toxics: delay) { $0.toxicBound = 552 }
        flow(.received(.upstream), count: 10, gives: .arrived(.upstream, 0, at: 0, 10), .wake(at: .milliseconds(100)))
        flow(.received(.upstream), count: 10, gives: .arrived(.upstream, 1, at: 10, 10))
        flow(.received(.upstream), count: 10, gives: .arrived(.upstream, 2, at: 20, 10))
        flow(.received(.upstream), count: 10, gives: .arrived(.upstream, 3, at: 30, 10), .pause(.upstream))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 10), .sendQueued(.upstream))
        // One byte over the mark, and then at it.
        flow(.sent(.upstream, 9), gives: .sendQueued(.upstream), .wake(at: .seconds(1)))
        flow(.sent(.upstream, 1), gives: .resume(.upstream))
    }

    @Test("Lets nothing more go at the bound before what was let go is sent")
    func fullBound() throws {
        let delay = ToxicConfiguration("latency", .upstream, attributes: ["latency": .int(100)])
        var run = try ChainRun([delay], over: .udp)
        run.push([1])
        run.push([2])
        let cost = run.chain.cost
        let due = run.clock.now.instant.advanced(by: .milliseconds(100))
        // At the bound, and one under it; at the bound with nothing to send, one goes, and is to be sent then.
        for (queued, bound, expected) in [(1, cost + 1, 0), (1, cost + 2, 2), (0, cost, 1)] {
            var chain = run.chain
            var output: [ToxicChain.Output] = []
            let load = ToxicChain.Load(queued: queued, bound: bound)
            #expect(chain.nextDue(load) == (expected == 0 ? nil : due))
            chain.advance(to: due, load, into: &output)
            #expect(output.count == expected, "\(queued) queued, bound \(bound)")
        }
    }

    @Test("Passes the end on behind what is delayed")
    func endBehind() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .arrived(.upstream, 0, at: 0, 5), .wake(at: .milliseconds(100)))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
        flow(.sent(.upstream, 5), gives: .endForwarded(.upstream), .finish(.upstream))
    }

    @Test("Delays the end itself")
    func delayedEnd() {
        let delays = Delays(.milliseconds(100), delaysEnd: true)
        var flow = Playbook.connected(.tcp, toxics: [.downstream: [delays]])
        flow(.finished(.downstream), gives: .ended(.downstream, isDelayed: true), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .endForwarded(.downstream), .finish(.downstream))
    }

    @Test("Lets what a later toxic keeps go on with a delayed end")
    func delayedFlush() {
        let chain: [any Toxic] = [Delays(.zero, .milliseconds(100), delaysEnd: true), Keeps()]
        var flow = Playbook.connected(.tcp, toxics: [.upstream: chain])
        flow(.received(.upstream), "kept", gives: .arrived(.upstream, 0, at: 0, 4))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true), .wake(at: .milliseconds(100)))
        #expect(flow.queued(.upstream) == nil)
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 4, receivedAt: .milliseconds(100)), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .endForwarded(.upstream), .finish(.upstream))
    }

    @Test("Lets what a toxic keeps go on when the source resets")
    func flushBeforeReset() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Keeps()]])
        flow(.received(.upstream), "kept", gives: .arrived(.upstream, 0, at: 0, 4))
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream), gives: .letGo(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .reset(.upstream, by: .seconds(1)))
    }

    @Test("An end that waits for a toxic's time goes on when the toxic is taken away")
    func heldEnd() {
        let reset = Then(sequel: .reset(at: ManualClock.instant(.seconds(2))), onEnd: true)
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [reset]])
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true), .wake(at: .seconds(2)))
        flow.advance(by: .seconds(1))
        flow(.finished(.downstream), gives: .ended(.downstream), .finish(.downstream))
        flow.setToxics(
            .none,
            gives: .toxic("test", .upstream, name: "upstream-0", .removed),
            .endForwarded(.upstream),
            .closed(.finished, after: .seconds(1)),
            .close(.finished)
        )
    }

    @Test("Ends a direction that its source did not end, and drops what comes behind")
    func finish() {
        let finish = Then(sequel: .finish(at: ManualClock.instant(.seconds(2))))
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [finish]])
        flow(
            .received(.upstream),
            "last",
            gives: .arrived(.upstream, 0, at: 0, 4),
            .letGo(.upstream, 0, at: 0, 4),
            .sendQueued(.upstream),
            .wake(at: .seconds(2))
        )
        flow(.sent(.upstream, 4))
        flow(
            .received(.upstream),
            "late",
            gives: .arrived(.upstream, 1, at: 4, 4),
            .dropped(.upstream, 4, .toxic("upstream-0"))
        )
        flow.advance(by: .seconds(2))
        flow(.wake, gives: .pause(.upstream), .endForwarded(.upstream), .finish(.upstream))
        flow(.writable(.upstream))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .closed(.finished, up: .of(4, in: 1, dropped: 4), after: .seconds(2)),
            .close(.finished)
        )
    }

    @Test("What a later toxic ends at a time has ended when a chunk comes to it at the same time")
    func endFirst() {
        let close = Then(sequel: .close(at: ManualClock.instant(.milliseconds(100))))
        let chain: [any Toxic] = [Delays(.zero, .milliseconds(100)), close]
        var flow = Playbook.connected(.tcp, toxics: [.upstream: chain])
        flow(
            .received(.upstream),
            "in time",
            gives: .arrived(.upstream, 0, at: 0, 7),
            .letGo(.upstream, 0, at: 0, 7),
            .sendQueued(.upstream),
            .wake(at: .milliseconds(100))
        )
        flow(.sent(.upstream, 7))
        flow(.received(.upstream), "late", gives: .arrived(.upstream, 1, at: 7, 4))
        flow.advance(by: .milliseconds(100))
        flow(
            .wake,
            gives: .toxic("test", .upstream, name: "upstream-1", .closed),
            .dropped(.upstream, 4, .toxic("upstream-1")),
            .endForwarded(.upstream),
            .finish(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .milliseconds(1100))
        )
    }

    @Test("Resets both sides at a time, and counts what that loses")
    func reset() {
        let reset = Then(sequel: .reset(at: ManualClock.instant(.seconds(1))))
        var flow = Playbook.connected(.tcp, toxics: [.downstream: [reset, Delays(.seconds(5))]])
        flow(.received(.downstream), "never", gives: .arrived(.downstream, 0, at: 0, 5), .wake(at: .seconds(1)))
        flow.advance(by: .seconds(1))
        flow(
            .wake,
            gives: .toxic("test", .downstream, name: "downstream-0", .reset),
            .dropped(.downstream, 5, .toxic("downstream-0")),
            .reset(.downstream, by: .seconds(1)),
            .reset(.upstream, by: .seconds(1))
        )
    }

    @Test("Lets what toxics hold go on when its source resets, however long they hold it")
    func resetBehind() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.seconds(3))]])
        flow(.received(.upstream), "slow", gives: .arrived(.upstream, 0, at: 0, 4), .wake(at: .seconds(3)))
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream))
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .wake(at: .seconds(3)))
        flow.advance(by: .seconds(2))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 4), .sendQueued(.upstream), .wake(at: .seconds(4)))
        flow(.sent(.upstream, 4), gives: .reset(.upstream, by: .seconds(4)))
    }

    @Test("Is not idle while toxics hold something for a time")
    func idle() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.seconds(30))]]) {
            $0.idleTimeout = .seconds(10)
        }
        flow(.received(.upstream), "slow", gives: .arrived(.upstream, 0, at: 0, 4))
        flow.advance(by: .seconds(10))
        flow(.wake, gives: .wake(at: .seconds(30)))
    }

    @Test("Rolls the dice of the flow's seed")
    func seeded() {
        var texts: [String?] = []
        for _ in 0..<2 {
            var flow = Playbook.connected(.tcp, toxics: [.upstream: [Rolls(), Rolls(), Rolls()]])
            flow(
                .received(.upstream),
                "x",
                gives: .arrived(.upstream, 0, at: 0, 1),
                .letGo(.upstream, 0, at: 0, 4),
                .sendQueued(.upstream)
            )
            texts.append(flow.queued(.upstream))
        }
        #expect(texts[0] == texts[1])
    }

    @Test("Holds what an echo server's client sent, and sends it back in time")
    func echo() {
        var flow = Playbook.echo(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .arrived(.upstream, 0, at: 0, 5), .wake(at: .milliseconds(100)))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true), .ended(.downstream, isDelayed: true))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 5), .sendQueued(.downstream))
        flow(
            .sent(.downstream, 5),
            gives: .endForwarded(.downstream),
            .closed(.finished, up: .of(5, in: 1), after: .milliseconds(100)),
            .close(.finished)
        )
    }

    @Test("Generates what SplitMix64 generates from 0")
    func splitMix() {
        // Source: the output of the reference implementation, https://prng.di.unimi.it/splitmix64.c.
        var random = SplitMix64(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    }
}
