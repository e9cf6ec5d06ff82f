import WeirEngine
import WeirWire

/// Delays each chunk by the next of some durations, and the end by the last.
struct Delays: Toxic {
    var durations: [Duration]
    var delaysEnd = false
    private var next = 0

    init(_ durations: Duration..., delaysEnd: Bool = false) {
        self.durations = durations
        self.delaysEnd = delaysEnd
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        let delay = durations[min(next, durations.count - 1)]
        switch input {
        case .chunk(let chunk):
            next += 1
            return Verdict([Chunk(bytes: chunk.bytes, due: now.advanced(by: delay))])
        case .end:
            return Verdict(then: delaysEnd ? .finish(at: now.advanced(by: delay)) : .proceed)
        case .added, .wake, .removed:
            return Verdict()
        }
    }
}

/// Splits each chunk into pieces of a size, the last may be empty.
struct Splits: Toxic {
    var size: Int

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        var pieces: [Chunk] = []
        for start in stride(from: 0, through: chunk.bytes.count, by: size) {
            pieces.append(Chunk(bytes: Array(chunk.bytes[start...].prefix(size)), due: chunk.due))
        }
        return Verdict(pieces)
    }
}

/// Passes chunks, and says the same about what follows each.
struct Then: Toxic {
    var sequel: Verdict.Sequel
    var onEnd = false

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .chunk(let chunk): Verdict([chunk], then: onEnd ? .proceed : sequel)
        case .end: Verdict(then: onEnd ? sequel : .proceed)
        case .added, .wake, .removed: Verdict()
        }
    }
}

/// Keeps everything until the end, or until it is taken away.
struct Keeps: Toxic {
    private var kept: [UInt8] = []

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .chunk(let chunk):
            kept += chunk.bytes
            return Verdict()
        case .end, .removed:
            return Verdict([Chunk(bytes: kept, due: now)])
        case .added, .wake:
            return Verdict()
        }
    }
}

/// Puts the generator's next letter behind each chunk.
struct Rolls: Toxic {
    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        return Verdict([Chunk(bytes: chunk.bytes + [UInt8.random(in: 0x61...0x7A, using: &random)], due: chunk.due)])
    }
}
