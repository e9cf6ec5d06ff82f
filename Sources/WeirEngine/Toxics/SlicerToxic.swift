import WeirWire

/// A toxic that cuts chunks into small pieces, with a pause after each.
struct SlicerToxic: Toxic {
    static let type = ToxicType(
        "slicer",
        "Cuts what passes into small pieces, with a pause after each; a datagram becomes several.",
        [
            .integer("average_size", "bytes", in: 1...1_048_576, "the size of a piece, on average; has to be given"),
            .integer("size_variation", "bytes", in: 0...1_048_576, "how far a size may be from it, uniformly"),
            .integer("delay", "us", "the pause after each piece"),
        ]
    ) { (settings) throws(ToxicError) in
        let (average, variation) = (settings.integer("average_size"), settings.integer("size_variation"))
        guard variation <= average else {
            throw settings.error("size_variation", "is at most average_size, \(average), not \(variation)")
        }
        return SlicerToxic(average: average, variation: variation, pause: .microseconds(settings.integer("delay")))
    }

    let average: Int
    let variation: Int
    let pause: Duration
    /// The end of the pause after the last piece.
    private var free = Instant(nanoseconds: .min)

    init(average: Int, variation: Int, pause: Duration) {
        self.average = average
        self.variation = variation
        self.pause = pause
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        var pieces: [Chunk] = []
        var start = 0
        repeat {
            let size = max(1, Int.random(in: (average - variation)...(average + variation), using: &random))
            let end = min(start + size, chunk.bytes.count)
            free = max(free, now)
            pieces.append(chunk.part(start..<end, due: free))
            free = free.advanced(by: pause)
            start = end
        } while start < chunk.bytes.count
        guard pieces.count > 1 else { return Verdict([chunk.due(at: pieces[0].due)]) }
        for index in pieces.indices { pieces[index].changes.append(ToxicChange(.sliced, count: pieces.count)) }
        return Verdict(pieces)
    }
}
