import Support
import Testing
import WeirFlow
import WeirWire

@Suite("A chain of toxics")
struct ToxicTests {
    @Test("Releases a delayed chunk at its due time, and records it then")
    func delay() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(99))
        flow(.wake, gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
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
        flow(.received(.upstream), "slow", gives: .wake(at: .milliseconds(100)))
        flow(.received(.upstream), "fast")
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .released(.upstream, 1, at: 4, 4), .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "fast")
    }

    @Test("Hands a delayed chunk to the next toxic at its due time")
    func chainsDelays() {
        let chain: [any Toxic] = [Delays(.milliseconds(100)), Delays(.milliseconds(50))]
        var flow = Playbook.connected(.udp, toxics: [.downstream: chain])
        flow(.received(.downstream), "hello", gives: .wake(at: .milliseconds(150)))
    }

    @Test("Waits for room, not for time, where the kernel does not take what is due")
    func blocked() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
        // The kernel takes nothing: to be woken again at once would spin.
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .sendQueued(.upstream))
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 2), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "llo")
    }

    @Test("Drops what a toxic drops")
    func drop() {
        var flow = Playbook.connected(.udp, toxics: [.upstream: [Drops()]])
        flow(.received(.upstream), "hello")
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Sends the pieces of a split stream one by one, and no empty one")
    func split() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Splits(size: 2)]])
        flow(.received(.upstream), "four", gives: .released(.upstream, 0, at: 0, 2), .sendQueued(.upstream))
        flow(.sent(.upstream, 2), gives: .released(.upstream, 1, at: 2, 2), .sendQueued(.upstream))
        flow(.sent(.upstream, 2))
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Sends the pieces of a split datagram as datagrams, an empty one too")
    func splitDatagram() {
        var flow = Playbook.connected(.udp, toxics: [.upstream: [Splits(size: 2)]])
        flow(.received(.upstream), "ab", gives: .released(.upstream, 0, at: 0, 2), .sendQueued(.upstream))
        flow(.sent(.upstream, 2), gives: .released(.upstream, 1, at: 2, 0), .sendQueued(.upstream))
        flow(.sent(.upstream, 0))
    }

    @Test("Bounds what delayed datagrams may hold")
    func bound() {
        let delay: [Direction: [any Toxic]] = [.upstream: [Delays(.seconds(1))]]
        var flow = Playbook.connected(.udp, toxics: delay) { $0.highWatermark = 300 }
        flow(.received(.upstream), count: 172, gives: .wake(at: .seconds(1)))
        flow(.received(.upstream), count: 1, gives: .dropped(.upstream, 1, datagrams: 1, .queueFull))
    }

    @Test("Pauses the source of a stream that a toxic holds")
    func backpressure() {
        let delay: [Direction: [any Toxic]] = [.upstream: [Delays(.seconds(1))]]
        var flow = Playbook.connected(.tcp, toxics: delay) { ($0.highWatermark, $0.lowWatermark) = (10, 4) }
        flow(.received(.upstream), count: 10, gives: .pause(.upstream), .wake(at: .seconds(1)))
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 10), .sendQueued(.upstream))
        flow(.sent(.upstream, 6), gives: .resume(.upstream), .sendQueued(.upstream))
    }

    @Test("Passes the end on behind what is delayed")
    func endBehind() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .wake(at: .milliseconds(100)))
        flow(.finished(.upstream), gives: .ended(.upstream))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 5), .sendQueued(.upstream))
        flow(.sent(.upstream, 5), gives: .finish(.upstream))
    }

    @Test("Delays the end itself")
    func delayedEnd() {
        let delays = Delays(.milliseconds(100), delaysEnd: true)
        var flow = Playbook.connected(.tcp, toxics: [.downstream: [delays]])
        flow(.finished(.downstream), gives: .ended(.downstream), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .finish(.downstream))
    }

    @Test("Lets what a later toxic keeps go on with a delayed end")
    func delayedFlush() {
        let chain: [any Toxic] = [Delays(.zero, .milliseconds(100), delaysEnd: true), Keeps()]
        var flow = Playbook.connected(.tcp, toxics: [.upstream: chain])
        flow(.received(.upstream), "kept")
        flow(.finished(.upstream), gives: .ended(.upstream), .wake(at: .milliseconds(100)))
        #expect(flow.queued(.upstream) == "kept")
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .finish(.upstream))
    }

    @Test("Lets what a toxic keeps go on when the source resets")
    func flushBeforeReset() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Keeps()]])
        flow(.received(.upstream), "kept")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream), gives: .released(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
        flow(.sent(.upstream, 4), gives: .reset(.upstream, by: .seconds(1)))
    }

    @Test("Holds an end back for ever")
    func stall() {
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [Then(sequel: .stall, onEnd: true)]])
        flow(.finished(.upstream), gives: .ended(.upstream))
        flow.advance(by: .seconds(1000))
        flow(.wake)
        flow(.finished(.downstream), gives: .ended(.downstream), .finish(.downstream))
    }

    @Test("Ends a direction that its source did not end")
    func finish() {
        let finish = Then(sequel: .finish(at: ManualClock.instant(.seconds(2))))
        var flow = Playbook.connected(.tcp, toxics: [.upstream: [finish]])
        flow(
            .received(.upstream),
            "last",
            gives: .released(.upstream, 0, at: 0, 4),
            .sendQueued(.upstream),
            .wake(at: .seconds(2))
        )
        flow(.sent(.upstream, 4))
        flow.advance(by: .seconds(2))
        flow(.wake, gives: .pause(.upstream), .finish(.upstream))
        flow(.writable(.upstream))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .closed(.finished, up: .of(4, in: 1), after: .seconds(2)),
            .close(.finished)
        )
    }

    @Test("Resets both sides at a time, and counts what that loses")
    func reset() {
        let reset = Then(sequel: .reset(at: ManualClock.instant(.seconds(1))))
        var flow = Playbook.connected(.tcp, toxics: [.downstream: [Delays(.seconds(5)), reset]])
        flow(.received(.downstream), "never", gives: .wake(at: .seconds(1)))
        flow.advance(by: .seconds(1))
        flow(
            .wake,
            gives: .dropped(.downstream, 5, .reset),
            .reset(.downstream, by: .seconds(1)),
            .reset(.upstream, by: .seconds(1))
        )
    }

    @Test("Rolls the dice of the flow's seed")
    func seeded() {
        var texts: [String?] = []
        for _ in 0..<2 {
            var flow = Playbook.connected(.tcp, toxics: [.upstream: [Rolls(), Rolls(), Rolls()]])
            flow(.received(.upstream), "x", gives: .released(.upstream, 0, at: 0, 4), .sendQueued(.upstream))
            texts.append(flow.queued(.upstream))
        }
        #expect(texts[0] == texts[1])
    }

    @Test("Holds what an echo server's client sent, and sends it back in time")
    func echo() {
        var flow = Playbook.echo(.tcp, toxics: [.upstream: [Delays(.milliseconds(100))]])
        flow(.received(.upstream), "hello", gives: .wake(at: .milliseconds(100)))
        flow(.finished(.upstream), gives: .ended(.upstream), .ended(.downstream))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .released(.upstream, 0, at: 0, 5), .sendQueued(.downstream))
        flow(
            .sent(.downstream, 5),
            gives: .closed(.finished, up: .of(5, in: 1), after: .milliseconds(100)),
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
