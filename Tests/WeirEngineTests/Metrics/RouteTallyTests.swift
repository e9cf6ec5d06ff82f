import Support
import Testing
import WeirEngine
import WeirWire

@Suite("The tally of a route")
struct RouteTallyTests {
    /// A tally whose numbers are prime, each another, times a factor.
    private func tally(_ factor: UInt64) -> RouteTally {
        var tally = RouteTally()
        (tally.flows, tally.openFlows, tally.refusals) = (2 * factor, 3 * Int(factor), 5 * factor)
        tally.upstream.counters = .of(7 * factor, in: 11 * factor, dropped: 13 * factor, droppedDatagrams: 17 * factor)
        tally.downstream.counters = .of(
            19 * factor,
            in: 23 * factor,
            dropped: 29 * factor,
            droppedDatagrams: 31 * factor
        )
        (tally.upstream.queuedBytes, tally.downstream.queuedBytes) = (37 * Int(factor), 41 * Int(factor))
        for _ in 0..<factor { tally.dials.add(.milliseconds(3)) }
        for _ in 0..<(2 * factor) { tally.echoes.add(.milliseconds(5)) }
        return tally
    }

    @Test("Of several loops add up, each number by itself")
    func sum() {
        var sum = tally(1)
        sum.add(tally(10))
        #expect(sum == tally(11))
        sum.add(RouteTally())
        #expect(sum == tally(11))
    }

    @Test("Counts what happens: flows, dials, refusals and echoes")
    func happenings() {
        let echo = Echo(offset: 0, delay: .milliseconds(7))
        var tally = RouteTally()
        for _ in 0..<2 { tally.notice(.opened) }
        for _ in 0..<3 { tally.notice(.connected(dial: .milliseconds(11), isRerouted: false)) }
        for _ in 0..<5 { tally.notice(.refused(.timedOut)) }
        tally.notice(chunk(.upstream, at: 0, 9))
        tally.notice(chunk(.downstream, at: 0, 9, echo: echo))
        tally.notice(.ended(.upstream))
        #expect(tally.flows == 2 && tally.refusals == 5 && tally.openFlows == 0)
        #expect(tally.dials.count == 3 && tally.dials.sum == 33_000_000)
        #expect(tally.echoes.count == 1 && tally.echoes.sum == 7_000_000)
        #expect(tally.upstream == RouteTally.Way() && tally.downstream == RouteTally.Way())
    }

    @Test("Counts the bytes of flows that are open or have ended, and what waits in those that are open")
    func flows() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 2), "hello")
        flow(.received(.downstream), "answer!", gives: .data(.downstream, 0, at: 0, 7), .send(.downstream))
        flow(.sent(.downstream, 6), "answer!")
        var open = RouteTally()
        for _ in 0..<2 { open.add(open: flow.flow) }
        #expect(open.openFlows == 2 && open.flows == 0)
        #expect(open.upstream.counters == .of(10, in: 2) && open.downstream.counters == .of(14, in: 2))
        #expect(open.upstream.queuedBytes == 6 && open.downstream.queuedBytes == 2)
        var ended = RouteTally()
        ended.add(ended: flow.flow)
        #expect(ended.openFlows == 0 && ended.flows == 0)
        #expect(ended.upstream.counters == .of(5, in: 1) && ended.downstream.counters == .of(7, in: 1))
        #expect(ended.upstream.queuedBytes == 0 && ended.downstream.queuedBytes == 0)
    }
}
