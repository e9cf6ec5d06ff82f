import Support
import Testing

@testable import WeirAnalysis

@Suite("The search in one direction of a flow")
struct GrepStreamTests {
    /// A match, with everything that is said of it.
    private struct Seen: Equatable {
        var offset: Int
        var time: Int64?
        var before: [UInt8]
        var match: [UInt8]
        var after: [UInt8]
    }

    /// Pieces of a stream, each with its time; a gap has a length alone.
    private enum Piece {
        case bytes([UInt8])
        case gap(Int)
    }

    private static func pieces(_ count: Int, using generator: inout SeededGenerator) -> [Piece] {
        (0..<count).map { _ in
            if Int.random(in: 0..<12, using: &generator) == 0 { return .gap(.random(in: 1...3, using: &generator)) }
            let length = Int.random(in: 0...4, using: &generator)
            return .bytes((0..<length).map { _ in UInt8.random(in: 97...98, using: &generator) })
        }
    }

    /// Finds every match of each run of bytes without a gap, one after another.
    private static func expected(_ needle: [UInt8], _ pieces: [Piece], context: Int) -> [Seen] {
        var (found, run, times, base) = ([Seen](), [UInt8](), [Int64](), 0)
        func search() {
            var start = 0
            while start + needle.count <= run.count {
                let end = start + needle.count
                guard Array(run[start..<end]) == needle else {
                    start += 1
                    continue
                }
                found.append(
                    Seen(
                        offset: base + start,
                        time: times[end - 1],
                        before: Array(run[max(0, start - context)..<start]),
                        match: needle,
                        after: Array(run[end..<min(run.count, end + context)])
                    )
                )
                start = end
            }
        }
        for (time, piece) in pieces.enumerated() {
            switch piece {
            case .bytes(let bytes):
                run += bytes
                times += bytes.map { _ in Int64(time) }
            case .gap(let count):
                search()
                base += run.count + count
                (run, times) = ([], [])
            }
        }
        search()
        return found
    }

    @Test(
        "Each match has its offset, the time of the packet in which it ends, and what is around it",
        arguments: 1...20
    )
    func property(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let needle = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                UInt8.random(in: 97...98, using: &generator)
            }
            let context = Int.random(in: 0...5, using: &generator)
            let pieces = Self.pieces(Int.random(in: 1...30, using: &generator), using: &generator)
            var (window, finder, found) = (GrepWindow(), PatternFinder(.bytes(needle)), [Seen]())
            func add(_ bytes: [UInt8], at time: Int64? = nil, isEnd: Bool = false) {
                window.add(bytes.span.bytes, at: time, isEnd: isEnd, context: context, &finder) {
                    found.append(Seen(offset: $0, time: $1, before: $2, match: $3, after: $4))
                }
            }
            for (time, piece) in pieces.enumerated() {
                switch piece {
                case .bytes(let bytes): add(bytes, at: Int64(time))
                case .gap(let count):
                    add([], isEnd: true)
                    window.skip(count)
                }
            }
            add([], isEnd: true)
            #expect(found == Self.expected(needle, pieces, context: context))
        }
    }
}
