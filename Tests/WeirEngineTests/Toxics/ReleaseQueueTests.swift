import Testing
import WeirWire

@testable import WeirEngine

@Suite("A release queue")
struct ReleaseQueueTests {
    private let now = Instant(nanoseconds: 100)

    private func front(_ queue: ReleaseQueue) -> [UInt8]? { queue.withFirst { Array($0) } }

    @Test("Is empty at first, and gives nothing")
    func empty() {
        var queue = ReleaseQueue()
        queue.take(0)
        queue.take(5)
        #expect(queue.isEmpty)
        #expect(front(queue) == nil)
        #expect(queue.firstBytes == nil)
        #expect(queue.takeArrival() == nil)
        #expect(!queue.endsUnrecorded)
    }

    @Test("Keeps borders, counts bytes, and gives an empty entry for 0 bytes")
    func borders() {
        var queue = ReleaseQueue()
        for bytes: [UInt8] in [[1, 2], [], [], [3]] { queue.append(bytes) }
        #expect((queue.count, queue.entryCount, queue.cost) == (3, 4, 3 + 4 * 128))
        queue.take(2)
        #expect(front(queue) == [])
        queue.take(0)
        queue.take(0)
        #expect(front(queue) == [3])
        // Nothing is taken of an entry that has bytes.
        queue.take(0)
        #expect(front(queue) == [3])
        queue.take(1)
        #expect(queue.isEmpty)
    }

    @Test("Takes parts of an entry, and more than one")
    func parts() {
        var queue = ReleaseQueue()
        queue.append([1, 2, 3])
        queue.append([4, 5])
        queue.take(1)
        #expect(front(queue) == [2, 3])
        #expect(queue.firstBytes == [1, 2, 3])
        queue.take(3)
        #expect(front(queue) == [5])
        #expect((queue.count, queue.entryCount) == (1, 1))
        queue.take(100)
        #expect((queue.count, queue.entryCount) == (0, 0))
    }

    @Test("Tells each arrival once")
    func arrival() {
        let arrival = Instant(nanoseconds: 7)
        var queue = ReleaseQueue()
        queue.append([1], receivedAt: arrival)
        #expect(queue.endsUnrecorded)
        #expect(queue.takeArrival()?.receivedAt == arrival)
        #expect(queue.takeArrival() == nil)
        #expect(!queue.endsUnrecorded)
    }

    @Test("Lets small pieces of a stream share an entry")
    func shares() {
        var queue = ReleaseQueue()
        for byte in UInt8(0)..<200 { [byte].withUnsafeBytes { queue.appendStream($0) } }
        #expect((queue.count, queue.entryCount) == (200, 1))
        #expect(front(queue) == Array(0..<200))
        queue.take(150)
        [UInt8](repeating: 1, count: 1 << 16).withUnsafeBytes { queue.appendStream($0) }
        #expect(queue.entryCount == 2)
        #expect(front(queue) == Array(150..<200))
    }

    @Test("Lets nothing join an entry whose record is still to be made")
    func sharesNot() {
        var queue = ReleaseQueue()
        queue.append([3], receivedAt: now)
        [4].withUnsafeBytes { queue.appendStream($0) }
        #expect(queue.entryCount == 2)
    }

    @Test("Is what an array of arrays is, whatever is added and taken", arguments: 1...10)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = ReleaseQueue()
        var model: [[UInt8]] = []
        for _ in 0..<3000 {
            if Int.random(in: 0..<100, using: &random) < 55 {
                let bytes = (0..<Int.random(in: 0...5, using: &random)).map { _ in UInt8(random.next() & 0xFF) }
                queue.append(bytes)
                model.append(bytes)
            } else if let first = model.first {
                let amount = Int.random(in: 0...first.count, using: &random)
                queue.take(amount)
                model[0].removeFirst(amount)
                if model[0].isEmpty { model.removeFirst() }
            }
            #expect(queue.entryCount == model.count)
            #expect(queue.count == model.reduce(0) { $0 + $1.count })
            #expect(front(queue) == model.first)
        }
        queue.removeAll()
        #expect(queue.isEmpty && queue.count == 0 && front(queue) == nil)
    }
}
