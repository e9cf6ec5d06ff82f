import Support
import Testing
import WeirEngine
import WeirWire

@Suite("Ends by halves")
struct HalfCloseTests {
    @Test("Half-closes one way, and the other direction goes on")
    func half() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(.received(.downstream), "answer", gives: .data(.downstream, 0, at: 0, 6), .send(.downstream))
        flow.advance(by: .seconds(5))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .closed(.finished, down: .of(6, in: 1), after: .seconds(5)),
            .close(.finished)
        )
    }

    @Test("Half-closes toward the client just so")
    func halfDown() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.downstream), gives: .ended(.downstream), .finish(.downstream))
        flow(.received(.upstream), "more", gives: .data(.upstream, 0, at: 0, 4), .send(.upstream))
        flow(
            .finished(.upstream),
            gives: .ended(.upstream),
            .closed(.finished, up: .of(4, in: 1)),
            .close(.finished)
        )
    }

    @Test("Passes the end on behind the bytes that are queued")
    func behindQueue() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 1), "hello")
        flow(.finished(.upstream), gives: .ended(.upstream))
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 3), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 1), gives: .finish(.upstream))
    }

    @Test("Closes behind the bytes that are queued, where the other half is closed already")
    func secondBehindQueue() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(.received(.downstream), "bye", gives: .data(.downstream, 0, at: 0, 3), .send(.downstream))
        flow(.sent(.downstream, 0), "bye")
        flow(.finished(.downstream), gives: .ended(.downstream))
        flow(.sent(.downstream, 3), gives: .closed(.finished, down: .of(3, in: 1)), .close(.finished))
    }

    @Test("Does not read a side again that has ended")
    func endedWhilePaused() {
        var flow = Playbook.connected(.tcp) { ($0.highWatermark, $0.lowWatermark) = (10, 5) }
        flow(.received(.upstream), count: 10, gives: .data(.upstream, 0, at: 0, 10), .send(.upstream))
        flow(.sent(.upstream, 0), count: 10, gives: .pause(.upstream))
        flow(.finished(.upstream), gives: .ended(.upstream))
        flow(.sent(.upstream, 10), gives: .finish(.upstream))
    }

    @Test("Counts as activity: the idle time begins anew", arguments: Direction.allCases)
    func isActivity(_ source: Direction) {
        var flow = Playbook.connected(.tcp) { $0.idleTimeout = .seconds(10) }
        flow.advance(by: .seconds(7))
        flow(.finished(source), gives: .ended(source), .finish(source))
        flow.advance(by: .seconds(9))
        flow(.wake, gives: .wake(at: .seconds(17)))
    }

    @Test("Hears the same end once")
    func twice() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(.finished(.upstream))
        flow(.writable(.upstream))
    }
}

@Suite("Ends by a reset")
struct ResetTests {
    private let second = Expectation.wake(at: .seconds(1))

    @Test("Resets the other side once all was read that was sent before the reset", arguments: Direction.allCases)
    func delivered(from source: Direction) {
        let reason: CloseReason = source == .upstream ? .clientReset : .serverReset
        var flow = Playbook.connected(.tcp)
        flow(.aborted(source, .connectionReset), gives: .pause(source.opposite), second)
        flow(.received(source), "last", gives: .data(source, 0, at: 0, 4), .send(source))
        flow.advance(by: .milliseconds(10))
        flow(.finished(source), gives: .reset(source, by: .seconds(1)))
        flow.advance(by: .milliseconds(10))
        flow(
            .resetDone(source, unsent: 0),
            gives: .closed(
                reason,
                up: source == .upstream ? .of(4, in: 1) : .of(0, in: 0),
                down: source == .downstream ? .of(4, in: 1) : .of(0, in: 0),
                after: .milliseconds(20)
            ),
            .close(reason)
        )
    }

    @Test("Delivers what is queued before it resets")
    func queued() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.downstream), "hello", gives: .data(.downstream, 0, at: 0, 5), .send(.downstream))
        flow(.sent(.downstream, 1), "hello")
        flow(.aborted(.downstream, .connectionReset), gives: .pause(.upstream), second)
        flow(.finished(.downstream))
        flow(.writable(.downstream), gives: .sendQueued(.downstream))
        flow(.sent(.downstream, 4), gives: .reset(.downstream, by: .seconds(1)))
    }

    @Test("Counts what the kernel had not sent when it reset")
    func unsent() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), second)
        flow(.finished(.upstream), gives: .reset(.upstream, by: .seconds(1)))
        flow(
            .resetDone(.upstream, unsent: 3),
            gives: .dropped(.upstream, 3, .reset),
            .closed(.clientReset, up: .of(5, in: 1, dropped: 3)),
            .close(.clientReset)
        )
    }

    @Test("Gives a queue that is stuck one second, then drops and counts it")
    func stuck() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 1), "hello")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), second)
        flow(.finished(.upstream))
        flow.advance(by: .nanoseconds(999_999_999))
        flow(.wake, gives: .sendQueued(.upstream), second)
        flow.advance(by: .nanoseconds(1))
        flow(.wake, gives: .dropped(.upstream, 4, .reset), .reset(.upstream, by: .seconds(1)))
        let closed = Expectation.closed(.clientReset, up: .of(5, in: 1, dropped: 4), after: .seconds(1))
        flow(.resetDone(.upstream, unsent: 0), gives: closed, .close(.clientReset))
    }

    @Test("Counts what was queued toward the side that reset, and what is still read for it")
    func towardTheReset() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.downstream), "hello", gives: .data(.downstream, 0, at: 0, 5), .send(.downstream))
        flow(.sent(.downstream, 2), "hello")
        flow(
            .aborted(.upstream, .connectionReset),
            gives: .dropped(.downstream, 3, .reset),
            .pause(.downstream),
            second
        )
        flow(.received(.downstream), "late", gives: .dropped(.downstream, 4, .reset))
        flow(.finished(.upstream), gives: .reset(.upstream, by: .seconds(1)))
        let closed = Expectation.closed(.clientReset, down: .of(5, in: 1, dropped: 7))
        flow(.resetDone(.upstream, unsent: 0), gives: closed, .close(.clientReset))
    }

    @Test("Resets at once where the side that resets had sent its end")
    func afterEnd() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(
            .aborted(.upstream, .connectionReset),
            gives: .pause(.downstream),
            .reset(.upstream, by: .seconds(1))
        )
        flow(.resetDone(.upstream, unsent: 0), gives: .closed(.clientReset), .close(.clientReset))
    }

    @Test("Does not pause a side that has ended when the other one resets")
    func otherEnded() {
        var flow = Playbook.connected(.tcp)
        flow(.finished(.downstream), gives: .ended(.downstream), .finish(.downstream))
        flow(.aborted(.upstream, .connectionReset), gives: second)
        flow(.finished(.upstream), gives: .reset(.upstream, by: .seconds(1)))
    }

    @Test("Gives up delivering when the other side resets as well, and keeps the first reason")
    func both() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 0), "hello")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), second)
        flow(.aborted(.upstream, .connectionReset))
        flow(
            .aborted(.downstream, .connectionReset),
            gives: .dropped(.upstream, 5, .reset),
            .reset(.downstream, by: .zero),
            .reset(.upstream, by: .zero)
        )
        flow(.resetDone(.upstream, unsent: 0))
        flow(.resetDone(.upstream, unsent: 0))
        flow(
            .resetDone(.downstream, unsent: 0),
            gives: .closed(.clientReset, up: .of(5, in: 1, dropped: 5)),
            .close(.clientReset)
        )
    }

    @Test("Reads on from the side that reset once its bytes drain")
    func backpressure() {
        var flow = Playbook.connected(.tcp) { ($0.highWatermark, $0.lowWatermark) = (10, 5) }
        flow(.received(.upstream), count: 10, gives: .data(.upstream, 0, at: 0, 10), .send(.upstream))
        flow(.sent(.upstream, 0), count: 10, gives: .pause(.upstream))
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), second)
        flow(.sent(.upstream, 5), gives: .resume(.upstream), .sendQueued(.upstream))
    }
}
