import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Toxics that end flows")
struct EndingToxicsTests {
    private func connected(
        _ transport: Transport,
        _ configurations: ToxicConfiguration...,
        change: (inout FlowSettings) -> Void = { _ in }
    ) throws -> Playbook {
        .connected(transport, set: try ToxicSet(configurations, for: transport), change)
    }

    private func timeout(_ milliseconds: Int) -> ToxicConfiguration {
        .init("timeout", .downstream, attributes: ["timeout": .int(milliseconds)])
    }

    @Test("A timeout drops what comes, and closes both sides after a time without data")
    func timeoutCloses() throws {
        var flow = try connected(.tcp, timeout(100))
        flow.advance(by: .milliseconds(80))
        let loss = Expectation.dropped(.downstream, 4, .toxic("timeout_downstream"))
        flow(.received(.downstream), "lost", gives: .arrived(.downstream, 0, at: 0, 4), loss)
        // The wake that was asked for at the start comes first.
        flow.advance(by: .milliseconds(20))
        flow(.wake, gives: .wake(at: .milliseconds(180)))
        flow.advance(by: .milliseconds(80))
        flow(
            .wake,
            gives: .toxic("timeout", .downstream, .closed),
            .endForwarded(.upstream),
            .finish(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .milliseconds(1180))
        )
        // What comes now is read, so that the close is no reset, and counted.
        flow(.received(.upstream), "late", gives: .dropped(.upstream, 4, .toxic("timeout_downstream")))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream, isDelayed: true),
            .closed(
                .toxic,
                up: .of(0, in: 0, dropped: 4),
                down: .of(0, in: 0, dropped: 4),
                after: .milliseconds(180)
            ),
            .close(.toxic)
        )
    }

    @Test("Who does not close within a second is reset, once its kernel has what was let go")
    func lingering() throws {
        var flow = try connected(.tcp, timeout(100))
        flow.advance(by: .milliseconds(100))
        flow(
            .wake,
            gives: .toxic("timeout", .downstream, .closed),
            .endForwarded(.upstream),
            .finish(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .milliseconds(1100))
        )
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        flow.advance(by: .seconds(1))
        // Behind the last instant, at which times stop.
        let never = Duration.seconds(1 << 40)
        flow(.wake, gives: .reset(.downstream, by: never), .reset(.upstream, by: never))
        // What comes meanwhile is the toxic's loss still.
        flow(.received(.downstream), "late", gives: .dropped(.downstream, 4, .toxic("timeout_downstream")))
        flow(.resetDone(.downstream, unsent: 0))
        flow(
            .resetDone(.upstream, unsent: 3),
            gives: .dropped(.upstream, 3, .toxic("timeout_downstream")),
            .closed(
                .toxic,
                up: .of(0, in: 0, dropped: 3),
                down: .of(0, in: 0, dropped: 4),
                after: .milliseconds(1100)
            ),
            .close(.toxic)
        )
    }

    @Test("Who is idle for too long behind its end is reset then, with the idle time-out")
    func lingeringIdle() throws {
        var flow = try connected(.tcp, timeout(100)) { $0.idleTimeout = .seconds(20) }
        flow.advance(by: .milliseconds(100))
        flow(
            .wake,
            gives: .toxic("timeout", .downstream, .closed),
            .endForwarded(.upstream),
            .finish(.upstream),
            .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .milliseconds(1100))
        )
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .reset(.downstream, by: .milliseconds(21_100)), .reset(.upstream, by: .milliseconds(21_100)))
    }

    @Test("A side that resets costs the other nothing that was let go")
    func resetBehindLimit() throws {
        var flow = try connected(.tcp, .init("limit_data", .upstream, attributes: ["bytes": .int(3)]))
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
        flow(.aborted(.upstream, .connectionReset))
        flow(.finished(.upstream))
        flow(
            .sent(.upstream, 3),
            gives: .endForwarded(.upstream),
            .finish(.upstream),
            .wake(at: .seconds(1))
        )
        flow(
            .finished(.downstream),
            gives: .ended(.downstream, isDelayed: true),
            .closed(.toxic, up: .of(3, in: 1)),
            .close(.toxic)
        )
    }

    @Test("The end of a stream passes a timeout, which closes nothing then")
    func timeoutEnd() throws {
        var flow = try connected(.tcp, timeout(100))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream, isDelayed: true),
            .endForwarded(.downstream),
            .finish(.downstream)
        )
        flow.advance(by: .milliseconds(100))
        flow(.wake)
        flow(.received(.upstream), "still", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
    }

    @Test("The removal of a timeout closes the flow, that of a blackhole does not")
    func removal() throws {
        var flow = try connected(.udp, timeout(0))
        flow.setToxics(
            .none,
            gives: .toxic("timeout", .downstream, .removed),
            .toxic("timeout", .downstream, .closed),
            .closed(.toxic),
            .close(.toxic)
        )
        var other = try connected(.tcp, .init("blackhole", .upstream))
        other.setToxics(.none, gives: .toxic("blackhole", .upstream, .removed))
        other(.received(.upstream), "still", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
    }

    @Test("The end of a stream passes a blackhole, and the other half stays open")
    func blackholeEnd() throws {
        var flow = try connected(.tcp, .init("blackhole", .upstream))
        flow(
            .received(.upstream),
            "lost",
            gives: .arrived(.upstream, 0, at: 0, 4),
            .dropped(.upstream, 4, .toxic("blackhole_upstream"))
        )
        flow(
            .finished(.upstream),
            gives: .ended(.upstream, isDelayed: true),
            .endForwarded(.upstream),
            .finish(.upstream)
        )
        flow(.received(.downstream), "still", gives: .data(.downstream, 0, at: 0, 5), .send(.downstream))
    }

    @Test("A reset comes a time after the first data, and what comes meanwhile is dropped", arguments: [true, false])
    func resetPeer(onData: Bool) throws {
        var flow = try connected(.tcp, .init("reset_peer", .upstream, attributes: ["timeout": .int(30)]))
        let loss = Expectation.dropped(.upstream, 3, .toxic("reset_peer_upstream"))
        if onData {
            flow(
                .received(.upstream),
                "one",
                gives: .arrived(.upstream, 0, at: 0, 3),
                loss,
                .wake(at: .milliseconds(30))
            )
            flow.advance(by: .milliseconds(10))
            flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3), loss)
            flow.advance(by: .milliseconds(20))
        } else {
            flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true), .wake(at: .milliseconds(30)))
            flow.advance(by: .milliseconds(30))
        }
        flow(
            .wake,
            gives: .toxic("reset_peer", .upstream, .reset),
            .reset(.downstream, by: .milliseconds(30)),
            .reset(.upstream, by: .milliseconds(30))
        )
    }

    @Test("A reset ends a session of datagrams")
    func resetSession() throws {
        var flow = try connected(.udp, .init("reset_peer", .upstream)) { $0.recordsChunks = false }
        flow(
            .received(.upstream),
            "one",
            gives: .dropped(.upstream, 3, datagrams: 1, .toxic("reset_peer_upstream")),
            .toxic("reset_peer", .upstream, .reset),
            .closed(.toxic, up: .of(0, in: 0, dropped: 3, droppedDatagrams: 1)),
            .close(.toxic)
        )
    }

    @Test("Exactly the limit goes on, whatever the kernel takes, and then both sides get an end")
    func limitData() throws {
        var flow = try connected(.tcp, .init("limit_data", .downstream, attributes: ["bytes": .int(5)]))
        flow(
            .received(.downstream),
            "abc",
            gives: .arrived(.downstream, 0, at: 0, 3),
            .letGo(.downstream, 0, at: 0, 3),
            .sendQueued(.downstream)
        )
        var cut = ToxicChange(.cut, count: 2, offset: 2)
        cut.toxic = "limit_data_downstream"
        flow(
            .received(.downstream),
            "defg",
            gives: .arrived(.downstream, 1, at: 3, 4),
            .dropped(.downstream, 2, .toxic("limit_data_downstream")),
            .toxic("limit_data", .downstream, .closed),
            .endForwarded(.upstream),
            .finish(.upstream),
            .sendQueued(.downstream)
        )
        flow(.sent(.downstream, 3), gives: .letGo(.downstream, 1, at: 3, 2, cut), .sendQueued(.downstream))
        flow(
            .sent(.downstream, 2),
            gives: .endForwarded(.downstream),
            .finish(.downstream),
            .wake(at: .seconds(1))
        )
    }

    @Test("The count of a limit survives a change of the limit")
    func limitChanges() throws {
        func limit(_ bytes: Int) -> ToxicConfiguration {
            .init("limit_data", .upstream, attributes: ["bytes": .int(bytes)])
        }
        var run = try ChainRun([limit(10)], over: .tcp)
        run.push([UInt8](repeating: 1, count: 6))
        try run.change(to: [limit(8)])
        run.push([UInt8](repeating: 2, count: 6))
        #expect(run.bytes == [1, 1, 1, 1, 1, 1, 2, 2])
        #expect(run.dropped == 4 && run.ends == 1)
    }

    @Test("A limit that is set below what has passed lets nothing more go on")
    func lowered() throws {
        func limit(_ bytes: Int) -> ToxicConfiguration {
            .init("limit_data", .upstream, attributes: ["bytes": .int(bytes)])
        }
        for (bytes, passes) in [(9, [1, 2, 3, 4, 5, 6, 7, 8, 9]), (7, [1, 2, 3, 4, 5, 6, 7]), (6, []), (5, [])]
            as [(Int, [UInt8])]
        {
            var run = try ChainRun([limit(10)], over: .tcp)
            run.push([1, 2, 3, 4, 5, 6])
            try run.change(to: [limit(bytes)])
            run.push([7, 8, 9])
            #expect(run.bytes == (passes.isEmpty ? [1, 2, 3, 4, 5, 6] : passes))
            #expect(run.dropped == 9 - run.bytes.count && run.ends == 1)
        }
    }

    @Test("Limits of 0 and of exactly what comes")
    func limitBounds() throws {
        var none = try ChainRun([.init("limit_data", .upstream)], over: .tcp)
        none.advance(by: .seconds(1))
        #expect(none.ends == 0)
        none.push([1])
        #expect(none.bytes.isEmpty && none.dropped == 1 && none.ends == 1)
        var exact = try ChainRun([.init("limit_data", .upstream, attributes: ["bytes": .int(2)])], over: .tcp)
        exact.push([1, 2])
        #expect(exact.bytes == [1, 2] && exact.dropped == 0 && exact.ends == 1)
    }
}
