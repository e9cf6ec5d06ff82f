import Support
import Testing
@testable import WeirEngine
import WeirWire

@Suite("A UDP session")
struct FlowDatagramTests {
    @Test("Opens with its first datagram and passes each one on, empty ones too")
    func passes() {
        var flow = Playbook(.udp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        flow(.connected, gives: .connected(), .resume(.upstream), .resume(.downstream))
        flow(.received(.upstream), "one", gives: .data(.upstream, 0, at: 0, 3), .send(.upstream))
        flow(.received(.upstream), gives: .data(.upstream, 1, at: 3, 0), .send(.upstream))
        let echo = Echo(offset: 3, delay: .zero)
        flow(.received(.downstream), gives: .data(.downstream, 0, at: 0, 0, echo: echo), .send(.downstream))
        flow(.received(.downstream), gives: .data(.downstream, 1, at: 0, 0), .send(.downstream))
    }

    @Test("Holds datagrams while the name resolves, and records them behind the opening")
    func waiting() {
        var flow = Playbook(.udp)
        flow(.received(.upstream), "one")
        flow(.received(.upstream))
        flow.advance(by: .milliseconds(5))
        flow(.received(.upstream), "two")
        flow.advance(by: .milliseconds(5))
        flow.start(gives: .connect(0), .wake(at: .milliseconds(10_010)))
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        flow(
            .connected,
            gives: .connected(),
            .resume(.upstream),
            .resume(.downstream),
            .released(.upstream, 0, at: 0, 3),
            .sendQueued(.upstream)
        )
        // What comes now must not overtake what waits, neither on the wire nor in its number.
        flow(.received(.upstream), "late")
        flow(.sent(.upstream, 3), gives: .released(.upstream, 1, at: 3, 0), .sendQueued(.upstream))
        flow(
            .sent(.upstream, 0),
            gives: .released(.upstream, 2, at: 3, 3, receivedAt: .milliseconds(5)),
            .sendQueued(.upstream)
        )
        flow(
            .sent(.upstream, 3),
            gives: .released(.upstream, 3, at: 6, 4, receivedAt: .milliseconds(10)),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 4))
        flow(.received(.upstream), "next", gives: .data(.upstream, 4, at: 10, 4), .send(.upstream))
    }

    @Test("Counts the datagrams that waited where the server cannot be dialed")
    func refusedDial() {
        var flow = Playbook(.udp)
        flow(.received(.upstream), "one")
        flow(.received(.upstream), "three")
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: nil, server: Playbook.serverEndpoint))
        let unreachable = ErrorNumber(101)
        flow(
            .connectFailed(unreachable),
            gives: .opened,
            .refused(unreachable),
            .dropped(.upstream, 8, datagrams: 2, .closed),
            .closed(.refused, up: .of(0, in: 0, dropped: 8, droppedDatagrams: 2)),
            .close(.refused)
        )
    }

    @Test("Records a refused datagram and goes on")
    func refused() {
        var flow = Playbook.connected(.udp)
        flow(.refused(.connectionRefused), gives: .refused(.connectionRefused))
        flow(.received(.upstream), "again", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
    }

    @Test("Loses one datagram to an error, never the session")
    func sendFailed() {
        let invalid = ErrorNumber(22)
        var flow = Playbook.connected(.udp)
        flow(.received(.downstream), "to port 0", gives: .data(.downstream, 0, at: 0, 9), .send(.downstream))
        flow(
            .sendFailed(.downstream, invalid),
            "to port 0",
            gives: .dropped(.downstream, 9, datagrams: 1, .error(invalid))
        )
        flow(.sendFailed(.downstream, invalid), gives: .dropped(.downstream, 0, datagrams: 1, .error(invalid)))
        flow(.received(.downstream), "next", gives: .data(.downstream, 1, at: 9, 4), .send(.downstream))
    }

    @Test("Keeps order and borders where the kernel has no room, empty datagrams included")
    func blocked() {
        var flow = Playbook.connected(.udp)
        flow(.received(.upstream), "one", gives: .data(.upstream, 0, at: 0, 3), .send(.upstream))
        flow(.received(.upstream), gives: .data(.upstream, 1, at: 3, 0), .send(.upstream))
        flow(.received(.upstream), "three", gives: .data(.upstream, 2, at: 3, 5), .send(.upstream))
        flow(.sendBlocked(.upstream), "one")
        flow(.sendBlocked(.upstream))
        flow(.sendBlocked(.upstream), "three")
        flow(.received(.upstream), "four", gives: .data(.upstream, 3, at: 8, 4))
        #expect(flow.queued(.upstream) == "one")
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 3), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream)?.isEmpty == true)
        flow(.sent(.upstream, 0), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "three")
        flow(.sent(.upstream, 5), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "four")
        flow(.sent(.upstream, 4))
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Loses the front of the queue to an error, and goes on with the next")
    func queuedFails() {
        let error = ErrorNumber(90)
        var flow = Playbook.connected(.udp)
        flow(.sendBlocked(.upstream), "too long")
        flow(.sendBlocked(.upstream), "fine")
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(
            .sendFailed(.upstream, error),
            gives: .dropped(.upstream, 8, datagrams: 1, .error(error)),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 4))
    }

    @Test("Bounds its queue by bytes, and counts what finds no place")
    func bound() {
        var flow = Playbook.connected(.udp) { $0.highWatermark = 1128 }
        flow(.sendBlocked(.downstream), count: 1001, gives: .dropped(.downstream, 1001, datagrams: 1, .queueFull))
        flow(.sendBlocked(.downstream), count: 1000)
        flow(
            .received(.downstream),
            gives: .data(.downstream, 0, at: 0, 0),
            .dropped(.downstream, 0, datagrams: 1, .queueFull)
        )
        flow(.sent(.downstream, 1000))
        flow(.sendBlocked(.downstream), count: 1000)
    }

    @Test("Bounds the number of empty datagrams in its queue too")
    func emptyBound() {
        var flow = Playbook(.udp) { $0.highWatermark = 1280 }
        for _ in 0..<10 { flow(.received(.upstream)) }
        flow(.received(.upstream), gives: .dropped(.upstream, 0, datagrams: 1, .queueFull))
    }

    @Test("Counts truncated datagrams and those that the kernel dropped")
    func lost() {
        var flow = Playbook.connected(.udp)
        flow(.truncated(.upstream, read: 65_535), gives: .dropped(.upstream, 65_535, datagrams: 1, .truncated))
        flow(.overflowed(.downstream, datagrams: 7), gives: .dropped(.downstream, 0, datagrams: 7, .receiveBufferFull))
        flow(
            .shutdown,
            gives: .closed(
                .shutdown,
                up: .of(0, in: 0, dropped: 65_535, droppedDatagrams: 1),
                down: .of(0, in: 0, droppedDatagrams: 7)
            ),
            .close(.shutdown)
        )
    }

    @Test(
        "Lives on with a datagram from either side, even one that is too long",
        arguments: [
            FlowEvent.received(.upstream), .received(.downstream), .truncated(.upstream, read: 0),
        ]
    )
    func activity(_ event: FlowEvent) {
        var flow = Playbook.connected(.udp) { $0.idleTimeout = .seconds(60) }.flow
        var turn = Turn(at: ManualClock.moment(.seconds(30)))
        flow.handle(event, in: &turn)
        turn.begin(at: ManualClock.moment(.seconds(60)))
        flow.handle(.wake, in: &turn)
        #expect(turn.actions == [.wake(at: ManualClock.instant(.seconds(90)))])
        turn.begin(at: ManualClock.moment(.seconds(90)))
        flow.handle(.wake, in: &turn)
        #expect(turn.actions.last == .close(.idle))
    }

    @Test("Is not kept alive by what was lost")
    func noActivity() {
        var flow = Playbook.connected(.udp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(60))
        flow(.overflowed(.downstream, datagrams: 1), gives: .dropped(.downstream, 0, datagrams: 1, .receiveBufferFull))
        flow(.refused(.connectionRefused), gives: .refused(.connectionRefused))
        flow(
            .wake,
            gives: .closed(.idle, down: .of(0, in: 0, droppedDatagrams: 1), after: .seconds(60)),
            .close(.idle)
        )
    }

    @Test("Counts the datagrams that its end loses")
    func end() {
        var flow = Playbook.connected(.udp)
        flow(.sendBlocked(.upstream), "one")
        flow(.sendBlocked(.upstream))
        flow(
            .evicted,
            gives: .dropped(.upstream, 3, datagrams: 2, .closed),
            .closed(.evicted, up: .of(0, in: 0, dropped: 3, droppedDatagrams: 2)),
            .close(.evicted)
        )
    }
}
