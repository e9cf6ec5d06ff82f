import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Timer heap")
struct TimerHeapTests {
    @Test("Gives tokens in the order of their times", arguments: [1, 2, 3, 10, 1000])
    func order(count: Int) {
        var heap = TimerHeap()
        var random = SplitMix64(seed: UInt64(count))
        var times: [Int64] = []
        for place in 0..<count {
            let time = Int64(random.next() % 100)
            times.append(time)
            heap.insert(Token(.flowTimer, place: place), due: Instant(nanoseconds: time))
        }
        #expect(heap.firstDue?.nanoseconds == times.min())
        var popped: [Int64] = []
        var places: Set<Int> = []
        while let entry = heap.popDue(at: Instant(nanoseconds: 100)) {
            popped.append(entry.due.nanoseconds)
            #expect(times[entry.token.place] == entry.due.nanoseconds)
            places.insert(entry.token.place)
        }
        #expect(popped == times.sorted())
        #expect(places.count == count)
        #expect(heap.firstDue == nil)
    }

    @Test("Keeps what is not due")
    func due() {
        var heap = TimerHeap()
        heap.insert(Token(.flowTimer), due: Instant(nanoseconds: 10))
        #expect(heap.popDue(at: Instant(nanoseconds: 9))?.due == nil)
        #expect(heap.popDue(at: Instant(nanoseconds: 10))?.due.nanoseconds == 10)
        #expect(heap.popDue(at: Instant(nanoseconds: 10))?.due == nil)
    }

    @Test("A token holds its kind, place and generation", arguments: UInt8(0)...8)
    func token(number: UInt8) throws {
        let kind = try #require(Token.Kind(rawValue: number))
        let values: [(Int, UInt32)] = [(0, 0), (1, 1), (1_000_000, 0xFF_FFFF), (Int(UInt32.max), 5)]
        for (place, generation) in values {
            let token = Token(rawValue: Token(kind, place: place, generation: generation).rawValue)
            #expect(token.kind == kind && token.place == place && token.generation == generation)
        }
    }

    @Test("Stays small where the tokens of long times are of no use any more")
    func thins() {
        var heap = TimerHeap()
        var thinned = 0
        // Of so many flows that come and go, the last hundred are open.
        for place in 0..<100_000 {
            heap.insert(Token(.opening, place: place), due: Instant(nanoseconds: Int64(place * 7919 % 100_000)))
            guard heap.isCrowded else { continue }
            thinned += 1
            heap.thin { $0.token.place > place - 100 }
            #expect(!heap.isCrowded)
        }
        #expect(thinned >= 20 && thinned <= 30)
        heap.thin { $0.token.place >= 99_900 }
        var times: [Int64] = []
        while let entry = heap.popDue(at: Instant(nanoseconds: 100_000)) { times.append(entry.due.nanoseconds) }
        #expect(times == (99_900..<100_000).map { Int64($0 * 7919 % 100_000) }.sorted())
    }
}
