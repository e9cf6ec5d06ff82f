import Testing
import WeirWire

@testable import WeirEngine

@Suite("Whatever happens to a flow")
struct FlowInvariantTests {
    private static let chains: [[any Toxic]] = [
        [], [], [], [LatencyToxic(latency: .milliseconds(30), jitter: .milliseconds(25))],
        [BandwidthToxic(kilobytesPerSecond: 2, cuts: true), SlowCloseToxic(delay: .milliseconds(70))],
        [SlicerToxic(average: 9, variation: 4, pause: .milliseconds(1)), LimitDataToxic(bytes: 700)],
        [TimeoutToxic(timeout: .milliseconds(90))], [ResetPeerToxic(timeout: .milliseconds(60))], [BlackholeToxic()],
        [Delays(.milliseconds(40), .milliseconds(5), .milliseconds(200))],
        [Delays(.milliseconds(20)), Delays(.zero, .milliseconds(90), delaysEnd: true)],
    ]

    private func run(_ transport: Transport, isEcho: Bool, _ seed: UInt64) -> Simulation {
        var toxics = Self.chains[Int(seed) % Self.chains.count]
        if transport == .tcp, seed % 3 == 0, !toxics.isEmpty { toxics.append(Splits(size: 7)) }
        var simulation = Simulation(transport, isEcho: isEcho, toxics: toxics, seed: seed)
        if transport == .udp, !isEcho { for _ in 0..<simulation.roll(3) { simulation.receive(.upstream) } }
        simulation.start()
        for _ in 0..<simulation.roll(400) where !simulation.isClosed { simulation.step() }
        simulation.drain()
        simulation.checkEnd()
        simulation.tell(.received(.upstream), [1])
        simulation.tell(.wake)
        simulation.tell(.shutdown)
        return simulation
    }

    @Test("No byte is lost uncounted, none is moved, and it opens and closes once", arguments: [Transport.tcp, .udp])
    func relayed(_ transport: Transport) {
        var reasons: Set<CloseReason> = []
        var passed = 0
        for seed in UInt64(1)...(transport == .tcp ? 1000 : 2500) {
            let simulation = run(transport, isEcho: false, seed)
            passed += simulation.passed
            if case .closed(let close) = simulation.records.last { reasons.insert(close.reason) }
        }
        // The dice have seen every way to end.
        let seen: Set<CloseReason> =
            transport == .tcp
            ? [.finished, .clientReset, .serverReset, .refused, .idle, .evicted, .shutdown, .toxic]
            : [.refused, .idle, .evicted, .shutdown, .toxic]
        #expect(reasons == seen)
        #expect(passed > 1000)
    }

    @Test("So it is where the flow is its own server", arguments: [Transport.tcp, .udp])
    func echo(_ transport: Transport) {
        for seed in UInt64(1)...200 { _ = run(transport, isEcho: true, seed) }
    }
}
