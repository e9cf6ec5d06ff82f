import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirAdmin

@Suite("The last events of a kind")
struct EventRingTests {
    private static func event(_ id: UInt64, size: Int = 1, withBytes: Int? = nil) -> EventLog.Event {
        let endpoint = Endpoint(address: .loopbackV4, port: 1)
        return EventLog.Event(
            id: id,
            name: "open",
            flow: 1,
            transport: .tcp,
            path: FlowPath(client: endpoint, listener: endpoint),
            text: [UInt8](repeating: 0x20, count: size),
            textWithBytes: withBytes.map { [UInt8](repeating: 0x20, count: $0) }
        )
    }

    private static func ids(_ ring: EventRing, after id: UInt64 = 0, limit: Int = .max) -> [UInt64] {
        ring.events(after: id, limit: limit).map(\.id)
    }

    @Test("Of thousands of events the last ones are there at every time, and the last that went is known")
    func keepsLast() {
        var ring = EventRing()
        #expect(ring.lastGone == 0 && Self.ids(ring).isEmpty)
        for id in UInt64(1)...5000 {
            ring.append(Self.event(2 * id), bound: 10, byteBound: 1000)
            let first = id > 10 ? id - 9 : 1
            #expect(Self.ids(ring) == (first...id).map { 2 * $0 })
            #expect(ring.lastGone == 2 * (first - 1))
        }
    }

    @Test("It finds the events behind any number, whether there is an event of that number or not")
    func findsEvents() {
        var ring = EventRing()
        let all = (UInt64(1)...20).map { 3 * $0 }
        for id in all { ring.append(Self.event(id), bound: 100, byteBound: 1000) }
        for id in UInt64(0)...61 {
            #expect(Self.ids(ring, after: id) == all.filter { $0 > id })
            #expect(Self.ids(ring, after: id, limit: 2) == Array(all.filter { $0 > id }.prefix(2)))
        }
    }

    @Test("It takes as many bytes as are allowed and no more, those of chunks as well, but always the newest event")
    func boundsBytes() {
        var ring = EventRing()
        for id in UInt64(1)...4 { ring.append(Self.event(id, size: 20, withBytes: 5), bound: 100, byteBound: 100) }
        #expect(Self.ids(ring) == [1, 2, 3, 4])
        ring.append(Self.event(5), bound: 100, byteBound: 100)
        #expect(Self.ids(ring) == [2, 3, 4, 5])
        ring.append(Self.event(6, size: 24), bound: 100, byteBound: 100)
        #expect(Self.ids(ring) == [2, 3, 4, 5, 6])
        ring.append(Self.event(7, size: 101), bound: 100, byteBound: 100)
        #expect(Self.ids(ring) == [7] && ring.lastGone == 6)
        ring.append(Self.event(8, size: 100), bound: 100, byteBound: 100)
        #expect(Self.ids(ring) == [8] && ring.lastGone == 7)
    }

    @Test("The first event counts, whatever its kind", arguments: [true, false])
    func countsFirst(isChunk: Bool) {
        var kinds = EventKinds()
        #expect(kinds.newest == 0 && kinds.count(after: 0, through: 0) == (0, 0, 0))
        #expect(kinds.add(isChunk: isChunk) == 1)
        #expect(kinds.count(after: 0, through: 1) == (isChunk ? 1 : 0, isChunk ? 0 : 1, 0))
    }

    @Test("The kinds of events are counted between any two of them")
    func countsKinds() {
        var random = SplitMix64(seed: 1)
        var (kinds, isChunk) = (EventKinds(), [false])
        for number in UInt64(1)...1000 {
            let chunk = Int.random(in: 0...2, using: &random) == 0
            #expect(kinds.add(isChunk: chunk) == number && kinds.newest == number)
            isChunk.append(chunk)
        }
        for _ in 0..<500 {
            let (first, last) = (Int.random(in: 0...1000, using: &random), Int.random(in: 0...1000, using: &random))
            let chunks = first < last ? isChunk[(first + 1)...last].count { $0 } : 0
            let counts = kinds.count(after: UInt64(first), through: UInt64(last))
            #expect(counts == (UInt64(chunks), UInt64(max(0, last - first) - chunks), 0), "\(first) \(last)")
        }
    }
}
