import Support
import Testing
import WeirEngine
import WeirWire

@Suite("Ends because it must")
struct ShutdownTests {
    @Test("Shuts down before it has started")
    func waiting() {
        var flow = Playbook(.tcp)
        flow(.shutdown, gives: .opened, .reset(.downstream, by: .zero))
        flow.start()
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.shutdown), .close(.shutdown))
    }

    @Test("Shuts down while it dials")
    func dialing() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        flow(.shutdown, gives: .reset(.downstream, by: .zero))
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.shutdown), .close(.shutdown))
    }

    @Test("Shuts an open flow down: what is queued is counted, both sides are reset")
    func open() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "up", gives: .data(.upstream, 0, at: 0, 2), .send(.upstream))
        flow(.sent(.upstream, 0), "up")
        flow(.received(.downstream), "down", gives: .data(.downstream, 0, at: 0, 4), .send(.downstream))
        flow(.sent(.downstream, 1), "down")
        flow(
            .shutdown,
            gives: .dropped(.upstream, 2, .shutdown),
            .dropped(.downstream, 3, .shutdown),
            .reset(.downstream, by: .zero),
            .reset(.upstream, by: .zero)
        )
        flow(.resetDone(.downstream, unsent: 1), gives: .dropped(.downstream, 1, .shutdown))
        flow(
            .resetDone(.upstream, unsent: 0),
            gives: .closed(.shutdown, up: .of(2, in: 1, dropped: 2), down: .of(4, in: 1, dropped: 4)),
            .close(.shutdown)
        )
    }

    @Test("Shuts down a flow of which one half is closed")
    func halfClosed() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(.shutdown, gives: .reset(.downstream, by: .zero), .reset(.upstream, by: .zero))
    }

    @Test("Shuts down a flow that delivers what came before a reset")
    func delivering() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "up", gives: .data(.upstream, 0, at: 0, 2), .send(.upstream))
        flow(.sent(.upstream, 0), "up")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(
            .shutdown,
            gives: .dropped(.upstream, 2, .shutdown),
            .reset(.downstream, by: .zero),
            .reset(.upstream, by: .zero)
        )
        flow(.resetDone(.downstream, unsent: 0))
        flow(
            .resetDone(.upstream, unsent: 0),
            gives: .closed(.shutdown, up: .of(2, in: 1, dropped: 2)),
            .close(.shutdown)
        )
    }

    @Test("Shuts down a flow that a toxic ends: both sides are reset, and waited for")
    func closing() throws {
        let limit = ToxicConfiguration("limit_data", .upstream, attributes: ["bytes": .int(3)])
        var flow = Playbook.connected(.tcp, set: try ToxicSet([limit], for: .tcp))
        flow(
            .received(.upstream),
            "abc",
            gives: .arrived(.upstream, 0, at: 0, 3),
            .toxic("limit_data", .upstream, .closed),
            .letGo(.upstream, 0, at: 0, 3),
            .sendQueued(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream)
        )
        flow(
            .shutdown,
            gives: .dropped(.upstream, 3, .shutdown),
            .reset(.downstream, by: .zero),
            .reset(.upstream, by: .zero)
        )
        flow(.resetDone(.downstream, unsent: 0))
        flow(
            .resetDone(.upstream, unsent: 0),
            gives: .closed(.shutdown, up: .of(3, in: 1, dropped: 3)),
            .close(.shutdown)
        )
    }

    @Test("Brings a reset forward that waits for its delivery, and keeps the first reason")
    func resetting() {
        var flow = Playbook.connected(.tcp)
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream), gives: .reset(.upstream, by: .seconds(1)))
        flow.advance(by: .milliseconds(1))
        flow(.shutdown, gives: .reset(.upstream, by: .milliseconds(1)))
        flow(
            .resetDone(.upstream, unsent: 9),
            gives: .dropped(.upstream, 9, .shutdown),
            .closed(.clientReset, up: .of(0, in: 0, dropped: 9), after: .milliseconds(1)),
            .close(.clientReset)
        )
    }

    @Test("Gives its place to another flow")
    func evicted() {
        var flow = Playbook.connected(.udp)
        flow(.evicted, gives: .closed(.evicted), .close(.evicted))
        flow(.evicted)
        flow(.shutdown)
    }

    @Test("Does nothing after it is closed", arguments: Events.all)
    func closed(_ event: FlowEvent) {
        var flow = Playbook.connected(.udp)
        flow(.shutdown, gives: .closed(.shutdown), .close(.shutdown))
        flow(event, "x")
        flow.start()
    }
}

private enum Events {
    static let all: [FlowEvent] = [
        .dialed(egress: nil, server: Playbook.serverEndpoint), .connected, .connectFailed(.timedOut),
        .received(.upstream), .truncated(.upstream, read: 1), .finished(.upstream), .aborted(.upstream, .timedOut),
        .sent(.upstream, 1), .writable(.upstream), .sendFailed(.upstream, .timedOut), .sendBlocked(.upstream),
        .refused(.timedOut), .resetDone(.upstream, unsent: 1), .overflowed(.upstream, datagrams: 1), .wake,
        .evicted, .shutdown,
    ]
}
