import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("What a toxic holds")
struct HeldQueueTests {
    private func chunk(_ bytes: [UInt8]) -> HeldQueue.Item {
        .chunk(Chunk(bytes: bytes, due: ManualClock.start.instant))
    }

    @Test("Comes out by due time, what is due at one time in the order in which it came")
    func order() {
        var queue = HeldQueue()
        for (byte, due) in [(1, 50), (2, 30), (3, 50), (4, 30), (5, 40)] as [(UInt8, Int64)] {
            queue.insert(chunk([byte]), due: Instant(nanoseconds: due))
        }
        #expect((queue.firstDue, queue.lastDue) == (Instant(nanoseconds: 30), Instant(nanoseconds: 50)))
        #expect((queue.bytes, queue.chunks, queue.cost) == (5, 5, 5 + 5 * ReleaseQueue.entryCost))
        var bytes: [UInt8] = []
        while let (item, _) = queue.popFirst() { if case .chunk(let chunk) = item { bytes += chunk.bytes } }
        #expect(bytes == [2, 4, 5, 1, 3])
        #expect(queue.isEmpty && queue.bytes == 0 && queue.chunks == 0 && queue.cost == 0)
    }

    @Test("Is what a sorted list is, whatever is added and taken", arguments: 1...5)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = HeldQueue()
        var model: [(due: Int64, byte: UInt8)] = []
        for number in 0..<3000 {
            if Int.random(in: 0..<100, using: &random) < 55 {
                let due = Int64.random(in: 0..<50, using: &random)
                let byte = UInt8(number & 0xFF)
                queue.insert(chunk([byte]), due: Instant(nanoseconds: due))
                model.insert((due, byte), at: model.firstIndex { $0.due > due } ?? model.count)
            } else if let (item, due) = queue.popFirst() {
                let first = model.removeFirst()
                guard case .chunk(let chunk) = item else { return #expect(Bool(false), "not a chunk") }
                #expect(chunk.bytes == [first.byte] && due.nanoseconds == first.due)
            }
            #expect(queue.bytes == model.count && queue.firstDue?.nanoseconds == model.first?.due)
        }
        #expect(queue.takeAll().count == model.count && queue.isEmpty)
    }
}
