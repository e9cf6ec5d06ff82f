import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Records")
struct FlowRecordTests {
    @Test("A record has 64 bytes, and an action at most 16")
    func sizes() {
        #expect(MemoryLayout<FlowRecord>.stride == 64)
        #expect(MemoryLayout<ChunkRecord>.size == 40)
        #expect(MemoryLayout<FlowRecord.Happening>.size == 40)
        #expect(MemoryLayout<FlowAction>.stride <= 16)
    }

    @Test(
        "A chunk keeps its number, length and place",
        arguments: [0, 1, 0xFFFF_FFFF, 1 << 32, (1 << 48) - 1] as [UInt64]
    )
    func chunk(_ number: UInt64) {
        var chunk = ChunkRecord(
            direction: .downstream,
            number: number,
            offset: number * 3,
            length: 65_535,
            receivedAt: Instant(nanoseconds: 7)
        )
        #expect(chunk.number == number && chunk.offset == number * 3 && chunk.length == 65_535)
        #expect(chunk.bytesOffset == nil && chunk.keptBytes == 0)
        chunk.bytesOffset = 0
        #expect(chunk.bytesOffset == 0 && chunk.keptBytes == 65_535)
        chunk.parts = [1..<3, 10..<20]
        #expect(chunk.keptBytes == 12)
        chunk.bytesOffset = nil
        #expect(chunk.bytesOffset == nil && chunk.keptBytes == 0)
    }

    @Test("What is rare is kept, compared and forgotten like the rest")
    func rare() throws {
        let plain = ChunkRecord(
            direction: .upstream,
            number: 1,
            offset: 2,
            length: 3,
            receivedAt: Instant(nanoseconds: 4)
        )
        var chunk = plain
        chunk.echo = Echo(offset: 5, delay: .milliseconds(6))
        chunk.peer = Playbook.serverEndpoint
        chunk.changes = [ToxicChange(.replaced, count: 3)]
        #expect(chunk.echo == Echo(offset: 5, delay: .milliseconds(6)))
        #expect(chunk.peer == Playbook.serverEndpoint)
        #expect(chunk.changes == [ToxicChange(.replaced, count: 3)])
        #expect(chunk != plain)
        var other = plain
        other.changes = [ToxicChange(.replaced, count: 3)]
        other.peer = Playbook.serverEndpoint
        #expect(other != chunk)
        other.echo = Echo(offset: 5, delay: .milliseconds(6))
        #expect(other == chunk && other.hashValue == chunk.hashValue)
        chunk.echo = nil
        chunk.peer = nil
        chunk.changes = []
        #expect(chunk == plain)
    }

    @Test("Records of a flow name its path as it was then")
    func subject() {
        var flow = Playbook(.tcp)
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        var turn = Turn(at: ManualClock.start)
        var engine = flow.flow
        engine.handle(.connectFailed(.connectionRefused), in: &turn)
        #expect(turn.records.map(\.record.path) == [Playbook.path])
        let one = FlowRecord(of: FlowSubject(FlowID(1), .tcp, Playbook.path), moment: turn.now, happening: .opened)
        let same = FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: Playbook.path,
            moment: turn.now,
            happening: .opened
        )
        #expect(one == same)
        var path = Playbook.path
        path.egress?.port = 1
        #expect(one != FlowRecord(flow: FlowID(1), transport: .tcp, path: path, moment: turn.now, happening: .opened))
    }
}
