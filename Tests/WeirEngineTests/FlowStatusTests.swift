import Support
import Testing
import WeirEngine
import WeirWire

@Suite("What a flow says of itself")
struct FlowStatusTests {
    @Test("Tells both directions apart, and its age from its idle time")
    func status() {
        var flow = Playbook.connected(.tcp)
        flow.advance(by: .seconds(2))
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 2), "hello")
        flow.advance(by: .seconds(3))
        flow(.received(.downstream), "answer!", gives: .data(.downstream, 0, at: 0, 7), .send(.downstream))
        flow(.sent(.downstream, 0), "answer!")
        let status = flow.flow.status(at: ManualClock.instant(.seconds(16)))
        #expect(status.id == FlowID(1) && status.transport == .tcp && status.path == Playbook.path)
        #expect(status.age == .seconds(16) && status.idle == .seconds(11))
        #expect(status.openedWallNanoseconds == ManualClock.start.wallNanoseconds)
        #expect(status.upstream == .of(5, in: 1) && status.downstream == .of(7, in: 1))
        #expect(status.queuedUpstream == 3 && status.queuedDownstream == 7)
        #expect(status.phase == .open && status.route == 0)
        #expect(flow.flow.counters(.upstream) == .of(5, in: 1) && flow.flow.counters(.downstream) == .of(7, in: 1))
        #expect(flow.flow.queuedBytes(.upstream) == 3 && flow.flow.queuedBytes(.downstream) == 7)
    }

    @Test("Names its phase")
    func phases() {
        func phase(_ flow: Playbook) -> FlowStatus.Phase { flow.flow.status(at: ManualClock.start.instant).phase }
        var flow = Playbook(.tcp)
        #expect(phase(flow) == .resolving)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        #expect(phase(flow) == .dialing)
        flow = .connected(.tcp)
        #expect(phase(flow) == .open && !flow.flow.reading(.upstream).isDiscarding)
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        #expect(phase(flow) == .closing && !flow.flow.reading(.upstream).isDiscarding)
        flow(.shutdown, gives: .reset(.downstream, by: .zero), .reset(.upstream, by: .zero))
        #expect(phase(flow) == .closing && flow.flow.reading(.upstream).isDiscarding)
        flow(.resetDone(.downstream, unsent: 0))
        flow(.resetDone(.upstream, unsent: 0), gives: .closed(.shutdown), .close(.shutdown))
        #expect(phase(flow) == .closing && !flow.flow.reading(.upstream).isDiscarding)
    }

    @Test("Discards what comes after a toxic has ended it")
    func discarding() throws {
        let limit = ToxicConfiguration("limit_data", .upstream)
        var flow = Playbook.connected(.udp, set: try ToxicSet([limit], for: .udp))
        #expect(!flow.flow.reading(.upstream).isDiscarding)
        var tcp = Playbook.connected(.tcp, set: try ToxicSet([limit], for: .tcp))
        tcp(
            .received(.upstream),
            "abc",
            gives: .arrived(.upstream, 0, at: 0, 3),
            .dropped(.upstream, 3, .toxic("limit_data_upstream")),
            .toxic("limit_data", .upstream, .closed),
            .endForwarded(.upstream),
            .finish(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .seconds(1))
        )
        #expect(tcp.flow.reading(.upstream).isDiscarding)
        #expect(tcp.flow.status(at: ManualClock.start.instant).phase == .closing)
        flow(.dismissed, gives: .closed(.requested), .close(.requested))
    }

    @Test("Reads no more than 64 KiB at a time where a toxic has to copy it, and passes no end by itself")
    func toxics() {
        let flow = Playbook.connected(.tcp, toxics: [.downstream: [Delays(.milliseconds(1))]]).flow
        let (up, down) = (flow.reading(.upstream), flow.reading(.downstream))
        #expect(up.limit == .max && down.limit == 65_536 && up.passesEnd && !down.passesEnd)
    }

    @Test("Has these limits unless it is told others")
    func defaults() {
        let settings = FlowSettings()
        #expect(settings.connectTimeout == .seconds(10) && settings.idleTimeout == nil)
        #expect(
            settings.echoWindow == 1_048_576 && !settings.expectsEcho && settings.echoTimeout == .seconds(10)
        )
        #expect(settings.highWatermark == 4_194_304 && settings.lowWatermark == 1_048_576)
        #expect(settings.toxicBound == 33_554_432 && settings.resetDelay == .seconds(1))
        #expect(settings.recordsChunks)
    }
}

@Suite("What a flow hears from its host")
struct FlowEventTests {
    private let hello: [UInt8] = Array("hello".utf8)

    @Test("Bytes that others lost are counted for the reason of the flow's state")
    func lost() throws {
        var flow = Playbook(.tcp)
        flow(.lost(.downstream, bytes: 7), gives: .opened, .dropped(.downstream, 7, .closed))
        flow = .connected(.tcp)
        flow(.lost(.upstream, bytes: 11), gives: .dropped(.upstream, 11, .closed))
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.lost(.upstream, bytes: 13), gives: .dropped(.upstream, 13, .reset))
        flow(.shutdown, gives: .reset(.downstream, by: .zero), .reset(.upstream, by: .zero))
        flow(.lost(.downstream, bytes: 17), gives: .dropped(.downstream, 17, .shutdown))
        flow(.resetDone(.downstream, unsent: 0))
        flow(
            .resetDone(.upstream, unsent: 3, unread: 4),
            gives: .dropped(.upstream, 4, .shutdown),
            .dropped(.upstream, 3, .shutdown),
            .closed(.shutdown, up: .of(0, in: 0, dropped: 31), down: .of(0, in: 0, dropped: 17)),
            .close(.shutdown)
        )
    }

    @Test("A flow that nobody wants any more closes at once, and counts what it had queued")
    func dismissed() {
        var waiting = Playbook(.tcp)
        waiting(.dismissed, gives: .opened, .closed(.requested), .close(.requested))
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 2), "hello")
        flow(.received(.downstream), "hey", gives: .data(.downstream, 0, at: 0, 3), .send(.downstream))
        flow(.sent(.downstream, 1), "hey")
        flow(
            .dismissed,
            gives: .dropped(.upstream, 3, .closed),
            .dropped(.downstream, 2, .closed),
            .closed(.requested, up: .of(5, in: 1, dropped: 3), down: .of(3, in: 1, dropped: 2)),
            .close(.requested)
        )
        var resetting = Playbook.connected(.tcp)
        resetting(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        resetting(
            .aborted(.upstream, .connectionReset),
            gives: .pause(.downstream),
            .reset(.upstream, by: .seconds(1))
        )
        resetting(.dismissed, gives: .reset(.upstream, by: .zero))
    }

    @Test("A side that answers from another port of the server is sent to from then on, another host is not")
    func answered() {
        let near = Endpoint(address: Playbook.serverEndpoint.address, port: 7000)
        let far = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 7000)
        let cases: [(Endpoint?, [Endpoint?])] = [(near, [near, near]), (far, [far, nil]), (nil, [nil, nil])]
        for (source, peers) in cases {
            var flow = Playbook.connected(.udp).flow
            var turn = Turn(at: ManualClock.start)
            flow.handle(.answered(from: source), in: &turn)
            flow.handle(.received(.downstream), bytes: hello.span.bytes, in: &turn)
            flow.handle(.received(.upstream), bytes: hello.span.bytes, in: &turn)
            #expect(turn.records.map { $0.record.happening.chunk?.peer } == peers)
            #expect(flow.destination == peers[1])
        }
    }

    @Test("What is kept for echoes is dropped when there is no more room for it")
    func echoesFull() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        #expect(flow.flow.bytesKeptForEcho == 5)
        let echo = Echo(offset: 0, delay: .zero)
        flow(.received(.downstream), "he", gives: .data(.downstream, 0, at: 0, 2, echo: echo), .send(.downstream))
        #expect(flow.flow.bytesKeptForEcho == 3)
        flow(.echoesFull)
        #expect(flow.flow.bytesKeptForEcho == 0)
        flow(.received(.downstream), "llo", gives: .data(.downstream, 1, at: 2, 3), .send(.downstream))
    }

    @Test("Chunks are recorded from the moment on in which a sink wants them")
    func records() {
        var flow = Playbook.connected(.tcp) { $0.recordsChunks = false }
        flow(.received(.upstream), "hello", gives: .send(.upstream))
        flow(.chunkRecords(true))
        flow(.received(.upstream), "you", gives: .data(.upstream, 1, at: 5, 3), .send(.upstream))
        flow(.chunkRecords(false))
        flow(.received(.upstream), "again", gives: .send(.upstream))
    }

    @Test("Time in which a full sink made the relay wait is no time of a delivery")
    func excused() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 1), "hello")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream))
        flow.advance(by: .milliseconds(900))
        flow.touch()
        flow.advance(by: .milliseconds(999))
        flow(.wake, gives: .sendQueued(.upstream), .wake(at: .milliseconds(1900)))
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .dropped(.upstream, 4, .reset), .reset(.upstream, by: .milliseconds(1900)))
    }
}
