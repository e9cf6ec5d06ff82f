import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("The short way of a chunk")
struct FlowPassesTests {
    private let bytes: [UInt8] = Array("Hello".utf8)
    private let now = ManualClock().now.instant

    private func passes(_ playbook: Playbook, _ direction: Direction = .upstream) -> Bool {
        var flow = playbook.flow
        let before = flow[direction].counters
        let passes = flow.passes(bytes.span.bytes, direction, at: now)
        let after = flow[direction].counters
        #expect(after.bytes - before.bytes == (passes ? 5 : 0))
        #expect(after.chunks - before.chunks == (passes ? 1 : 0))
        return passes
    }

    @Test("A chunk of an open flow passes where nobody wants its record", arguments: Direction.allCases)
    func passes(_ direction: Direction) {
        #expect(passes(.connected(.tcp) { $0.recordsChunks = false }, direction))
        #expect(passes(.connected(.udp) { $0.recordsChunks = false }, direction))
    }

    @Test("It takes the long way where it is shown, expected back, changed or sent back")
    func longWays() {
        #expect(!passes(.connected(.tcp)))
        #expect(!passes(.connected(.tcp) { ($0.recordsChunks, $0.expectsEcho) = (false, true) }))
        #expect(!passes(.connected(.tcp, toxics: [.upstream: [Delays(.milliseconds(1))]]) { $0.recordsChunks = false }))
        #expect(!passes(.echo(.tcp) { $0.recordsChunks = false }))
        #expect(!passes(Playbook(.tcp) { $0.recordsChunks = false }))
    }

    @Test("It takes the long way behind bytes that wait, and behind an end")
    func behindOthers() {
        var waiting = Playbook.connected(.tcp) { $0.recordsChunks = false }
        waiting(.received(.upstream), "Hello", gives: .send(.upstream))
        waiting(.sent(.upstream, 2), "Hello")
        #expect(waiting.queued(.upstream) == "llo")
        #expect(!passes(waiting))
        #expect(passes(waiting, .downstream))

        var ended = Playbook.connected(.tcp) { $0.recordsChunks = false }
        ended(.shutdown, gives: .reset(.downstream, by: .zero), .reset(.upstream, by: .zero))
        #expect(!passes(ended))
    }

    @Test("It counts as activity, and the idle time-out is never forgotten")
    func idleTimeout() {
        var flow = Playbook.connected(.tcp) { ($0.recordsChunks, $0.idleTimeout) = (false, .seconds(2)) }.flow
        #expect(flow.scheduledWake != nil)
        let passes = flow.passes(bytes.span.bytes, .upstream, at: now.advanced(by: .seconds(1)))
        #expect(passes)
        #expect(flow.lastActivity == now.advanced(by: .seconds(1)))
    }
}
