import Support
import Testing
@testable import WeirEngine
import WeirWire

@Suite("A flow that is its own server")
struct FlowEchoTests {
    @Test("Opens at once, dials nobody and reads the client only", arguments: [Transport.tcp, .udp])
    func opens(_ transport: Transport) {
        var flow = Playbook(transport, isEcho: true)
        flow.start(gives: .opened, .resume(.upstream))
        #expect(flow.flow.path == FlowPath(client: Playbook.path.client, listener: Playbook.path.listener))
    }

    @Test("Sends back what comes", arguments: [Transport.tcp, .udp])
    func sendsBack(_ transport: Transport) {
        var flow = Playbook.echo(transport)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.downstream))
        flow(.received(.upstream), "you", gives: .data(.upstream, 1, at: 5, 3), .send(.downstream))
    }

    @Test("Keeps what the client does not take, and stops reading it")
    func backpressure() {
        var flow = Playbook.echo(.tcp) { ($0.highWatermark, $0.lowWatermark) = (10, 4) }
        flow(.received(.upstream), "0123456789", gives: .data(.upstream, 0, at: 0, 10), .send(.downstream))
        flow(.sent(.downstream, 0), "0123456789", gives: .pause(.upstream))
        flow(.sent(.downstream, 5), gives: .sendQueued(.downstream))
        flow(.sent(.downstream, 1), gives: .resume(.upstream), .sendQueued(.downstream))
        #expect(flow.queued(.downstream) == "6789")
    }

    @Test("Does not read on because time has passed")
    func pausedOverTime() {
        var flow = Playbook.echo(.tcp) {
            ($0.highWatermark, $0.lowWatermark, $0.idleTimeout) = (10, 4, .seconds(60))
        }
        flow(.received(.upstream), "0123456789", gives: .data(.upstream, 0, at: 0, 10), .send(.downstream))
        flow(.sent(.downstream, 0), "0123456789", gives: .pause(.upstream))
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .sendQueued(.downstream), .wake(at: .seconds(60)))
    }

    @Test("Closes behind the last byte when the client has sent its end")
    func halfClose() {
        var flow = Playbook.echo(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.downstream))
        flow(.sent(.downstream, 2), "hello")
        flow(.finished(.upstream), gives: .ended(.upstream), .ended(.downstream))
        flow(.writable(.downstream), gives: .sendQueued(.downstream))
        flow(.sent(.downstream, 3), gives: .closed(.finished, up: .of(5, in: 1)), .close(.finished))
    }

    @Test("Closes at once where nothing is queued")
    func end() {
        var flow = Playbook.echo(.tcp)
        flow(.finished(.upstream), gives: .ended(.upstream), .ended(.downstream), .closed(.finished), .close(.finished))
    }

    @Test("Counts what was queued for a client that resets")
    func reset() {
        var flow = Playbook.echo(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.downstream))
        flow(.sent(.downstream, 2), "hello")
        flow(
            .aborted(.upstream, .connectionReset),
            gives: .dropped(.downstream, 3, .reset),
            .reset(.downstream, by: .zero)
        )
        flow(
            .resetDone(.downstream, unsent: 0),
            gives: .closed(.clientReset, up: .of(5, in: 1), down: .of(0, in: 0, dropped: 3)),
            .close(.clientReset)
        )
    }

    @Test("Resets its one side when it shuts down")
    func shutdown() {
        var flow = Playbook.echo(.tcp)
        flow(.shutdown, gives: .reset(.downstream, by: .zero))
        flow(.resetDone(.downstream, unsent: 0), gives: .closed(.shutdown), .close(.shutdown))
    }

    @Test("Keeps a datagram that the kernel has no room for")
    func blocked() {
        var flow = Playbook.echo(.udp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.downstream))
        flow(.sendBlocked(.downstream), "hello")
        flow(.received(.upstream), gives: .data(.upstream, 1, at: 5, 0))
        flow(.writable(.downstream), gives: .sendQueued(.downstream))
        flow(.sent(.downstream, 5), gives: .sendQueued(.downstream))
        flow(.sent(.downstream, 0))
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Ends for idleness")
    func idle() {
        var flow = Playbook.echo(.udp) { $0.idleTimeout = .seconds(60) }
        flow.advance(by: .seconds(60))
        flow(.wake, gives: .closed(.idle, after: .seconds(60)), .close(.idle))
    }
}
