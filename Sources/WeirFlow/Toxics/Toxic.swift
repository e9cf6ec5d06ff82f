/// Is one fault on one direction of one flow: a value, so its state is plain `var`s.
public protocol Toxic: Sendable {
    /// Says what becomes of a chunk, or of the end of a stream.
    ///
    /// - Parameters:
    ///   - input: what has come.
    ///   - now: the time; a toxic reads no clock.
    ///   - random: the flow's own seeded generator; a toxic rolls no other dice.
    /// - Returns: the chunks that go on, each with its time, and what follows them.
    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict
}

/// Says what a toxic is asked about.
public enum ToxicInput: Hashable, Sendable {
    /// A chunk has come.
    case chunk(Chunk)
    /// The source has sent its last byte.
    case end
}

/// Owns the bytes of one read of a stream, or of one datagram, where something holds them back.
public struct Chunk: Hashable, Sendable {
    /// Holds the bytes.
    public var bytes: [UInt8]
    /// Says when they are to go on.
    public var due: Instant

    /// Makes a chunk that goes on at a time.
    public init(bytes: [UInt8], due: Instant) {
        self.bytes = bytes
        self.due = due
    }
}

/// Says what a toxic made of its input.
public struct Verdict: Hashable, Sendable {
    /// Lists the chunks that go on, with their due times.
    public var chunks: [Chunk]
    /// Says what follows them.
    public var then: Sequel

    /// Makes a verdict.
    public init(_ chunks: [Chunk] = [], then: Sequel = .proceed) {
        self.chunks = chunks
        self.then = then
    }

    /// Lists what can follow a verdict's chunks.
    public enum Sequel: Hashable, Sendable {
        /// Go on: an end is passed on after everything before it.
        case proceed
        /// Hold an end back for ever.
        case stall
        /// End the direction at a time, as if its source had sent its last byte.
        case finish(at: Instant)
        /// Reset both sides at a time.
        case reset(at: Instant)
    }
}

/// Generates the flow's randomness from a seed, so that the same seed and input give the same result.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 17.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    /// Makes a generator that starts from a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// Returns the next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
