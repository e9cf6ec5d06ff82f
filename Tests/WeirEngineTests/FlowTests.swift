import Support
import Testing
import WeirEngine
import WeirWire

/// What the server's endpoint is in every dialogue, and where a dial to it comes from.
private let dialed = FlowEvent.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint)

@Suite("A flow's dial")
struct FlowDialTests {
    @Test("Opens when the egress endpoint is known, and reads both sides once the server is reached")
    func dial() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(dialed, gives: .opened)
        #expect(flow.flow.path == Playbook.path)
        flow.advance(by: .milliseconds(3))
        flow(.connected, gives: .connected(after: .milliseconds(3)), .resume(.upstream), .resume(.downstream))
    }

    @Test("Opens at the end of the dial where the kernel chose no egress endpoint")
    func noEgress() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: nil, server: Playbook.serverEndpoint))
        flow(.connected, gives: .opened, .connected(), .resume(.upstream), .resume(.downstream))
    }

    @Test("Starts only once")
    func startsOnce() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow.start()
        flow = Playbook.connected(.tcp)
        flow.start()
    }

    @Test("Resets the client and records the error when the dial is refused")
    func refused() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(dialed, gives: .opened)
        flow(.connectFailed(.connectionRefused), gives: .refused(.connectionRefused), .reset(.downstream, by: .zero))
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.refused), .close(.refused))
        flow(.received(.upstream), "late")
    }

    @Test("Opens, is refused and closes where not even a socket could be made")
    func noSocket() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: nil, server: Playbook.serverEndpoint))
        flow(.connectFailed(.timedOut), gives: .opened, .refused(.timedOut), .reset(.downstream, by: .zero))
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.refused), .close(.refused))
    }

    @Test("Gives each address an equal share of the time that is left")
    func shares() {
        var flow = Playbook(.tcp) { $0.connectTimeout = .seconds(9) }
        flow.start(attempts: 3, gives: .connect(0), .wake(at: .seconds(3)))
        flow(dialed, gives: .opened)
        // The first address fails after one second: the eight that are left are for two.
        flow.advance(by: .seconds(1))
        flow(.connectFailed(.connectionRefused), gives: .refused(.connectionRefused), .connect(1))
        flow(dialed)
        flow.advance(by: .seconds(2))
        flow(.wake, gives: .wake(at: .seconds(5)))
        flow.advance(by: .seconds(2))
        flow(.wake, gives: .refused(.timedOut), .connect(2), .wake(at: .seconds(9)))
        flow(dialed)
        flow.advance(by: .seconds(4))
        flow(.wake, gives: .refused(.timedOut), .reset(.downstream, by: .seconds(9)))
        flow(
            .resetDone(.downstream, unsent: 0),
            gives: .closed(.refused, after: .seconds(9)),
            .close(.refused)
        )
    }

    @Test("Says that it was rerouted when a later address answers")
    func rerouted() {
        let other = Endpoint(address: .loopbackV4, port: 42_400)
        var flow = Playbook(.tcp)
        flow.start(attempts: 2, gives: .connect(0), .wake(at: .seconds(5)))
        flow(dialed, gives: .opened)
        flow(.connectFailed(.connectionRefused), gives: .refused(.connectionRefused), .connect(1))
        flow(.dialed(egress: other, server: Playbook.serverEndpoint))
        flow.advance(by: .milliseconds(2))
        flow(
            .connected,
            gives: .connected(after: .milliseconds(2), isRerouted: true),
            .resume(.upstream),
            .resume(.downstream)
        )
        #expect(flow.flow.path.egress == other)
    }

    @Test("Ends with the client that resets while the dial lasts")
    func clientResets() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.aborted(.upstream, .connectionReset), gives: .opened, .reset(.downstream, by: .zero))
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.clientReset), .close(.clientReset))
    }

    @Test("Passes on the end of a client that came before the server was reached")
    func clientEnds() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(dialed, gives: .opened)
        flow(.finished(.upstream), gives: .ended(.upstream))
        flow(.connected, gives: .connected(), .resume(.downstream), .finish(.upstream))
    }

    @Test("Ignores what an attempt says that is given up")
    func stale() {
        var flow = Playbook.connected(.tcp)
        flow(.connected)
        flow(.connectFailed(.connectionRefused))
        flow(.dialed(egress: nil, server: Playbook.path.client))
        #expect(flow.flow.path == Playbook.path)
    }
}

@Suite("A flow's time")
struct FlowTimeTests {
    @Test("Ends when no byte has moved for the idle time")
    func idle() {
        var flow = Playbook.connected(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(60))
        flow(.wake, gives: .reset(.downstream, by: .seconds(60)), .reset(.upstream, by: .seconds(60)))
        flow(.resetDone(.downstream, unsent: 0))
        flow(.resetDone(.upstream, unsent: 0), gives: .closed(.idle, after: .seconds(60)), .close(.idle))
    }

    @Test("Renews the idle time with what is read and what the kernel takes")
    func activity() {
        var flow = Playbook.connected(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(10))
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 0), "hello")
        flow.advance(by: .seconds(30))
        flow(.sent(.upstream, 2), gives: .sendQueued(.upstream))
        flow.advance(by: .seconds(30))
        flow(.wake, gives: .sendQueued(.upstream), .wake(at: .seconds(100)))
        flow.advance(by: .seconds(30))
        let closed = Expectation.dropped(.upstream, 3, .closed)
        flow(.wake, gives: closed, .reset(.downstream, by: .seconds(100)), .reset(.upstream, by: .seconds(100)))
    }

    @Test("Does not renew the idle time when the kernel takes nothing")
    func nothingTaken() {
        var flow = Playbook.connected(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(10))
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow.advance(by: .seconds(40))
        flow(.sent(.upstream, 0), "hello")
        flow.advance(by: .seconds(10))
        flow(.wake, gives: .sendQueued(.upstream), .wake(at: .seconds(70)))
    }

    @Test("Excuses the time in which a full sink made the relay wait")
    func touch() {
        var flow = Playbook.connected(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(60))
        flow.touch()
        flow(.wake, gives: .wake(at: .seconds(120)))
    }

    @Test("Never ends for idleness where it has no idle time, and asks for no wake")
    func off() {
        var flow = Playbook.connected(.tcp)
        flow.advance(by: .seconds(1_000_000))
        flow(.wake)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
    }

    @Test("Asks for one wake, not for one with each byte")
    func oneWake() {
        var flow = Playbook(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(dialed, gives: .opened)
        flow(.connected, gives: .connected(), .resume(.upstream), .resume(.downstream))
        flow(.received(.upstream), "a", gives: .data(.upstream, 0, at: 0, 1), .send(.upstream))
        flow.advance(by: .seconds(10))
        flow(.wake, gives: .wake(at: .seconds(60)))
    }

    @Test("Is neither idle nor late before its time, however often it is woken")
    func early() {
        var flow = Playbook(.tcp) { $0.idleTimeout = .seconds(60) }
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow.advance(by: .nanoseconds(9_999_999_999))
        flow(.wake, gives: .wake(at: .seconds(10)))
        flow.advance(by: .nanoseconds(1))
        flow(.wake, gives: .opened, .refused(.timedOut), .reset(.downstream, by: .seconds(10)))
    }

    @Test(
        "Keeps its durations and its times when the wall clock is set, and tells the new time of day",
        arguments: [Duration.seconds(-3600), .seconds(86_400 * 365)]
    )
    func wallClock(ahead: Duration) {
        var flow = Playbook(.tcp) { ($0.idleTimeout, $0.connectTimeout) = (.seconds(60), .seconds(10)) }
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow.advance(by: .seconds(2))
        flow.setWallClock(ahead: ahead)
        flow(.wake, gives: .wake(at: .seconds(10)))
        flow(dialed, gives: .opened)
        // The records' time of day is the dialogue's clock: the check fails for every other one.
        flow(.connected, gives: .connected(after: .seconds(2)), .resume(.upstream), .resume(.downstream))
        flow.setWallClock(ahead: ahead)
        flow.advance(by: .seconds(59))
        flow(.wake, gives: .wake(at: .seconds(62)))
        flow.setWallClock(ahead: ahead)
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .reset(.downstream, by: .seconds(62)), .reset(.upstream, by: .seconds(62)))
        flow(.resetDone(.downstream, unsent: 0))
        flow(.resetDone(.upstream, unsent: 0), gives: .closed(.idle, after: .seconds(62)), .close(.idle))
    }
}
