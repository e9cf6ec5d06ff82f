import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("A chunk within a chain of toxics")
struct ChunkTests {
    private let now = ManualClock.start.instant

    @Test("A part has the changes that are in it, at their new places, and the last part those behind the end")
    func parts() {
        var chunk = Chunk(bytes: Array(0..<10), receivedAt: now)
        chunk.source = Playbook.serverEndpoint
        chunk.changes = [0, 3, 4, 9, 10].map { ToxicChange(.flipped, count: $0 + 1, offset: $0) }
        let due = now.advanced(by: .milliseconds(3))
        for (range, offsets) in [(0..<4, [0, 3]), (4..<9, [0]), (9..<10, [0, 1]), (4..<10, [0, 5, 6]), (1..<3, [])] {
            let part = chunk.part(range, due: due)
            #expect(part.bytes == range.map { UInt8($0) })
            #expect(part.changes.map(\.offset) == offsets)
            #expect(part.changes.allSatisfy { $0.count == $0.offset + range.lowerBound + 1 })
            #expect(part.due == due && part.arrivedAt == now && part.receivedAt == now)
            #expect(part.source == Playbook.serverEndpoint)
        }
    }

    @Test("Is held from the moment when a hold numbered it until it is due, and decided after that")
    func held() {
        var chunk = Chunk(bytes: [1], receivedAt: now)
        #expect(!chunk.isHeld && !chunk.isDecided)
        chunk.holdNumber = 1
        #expect(!chunk.isHeld && chunk.isDecided)
        chunk.due = now.advanced(by: .nanoseconds(1))
        #expect(chunk.isHeld && !chunk.isDecided)
    }
}
