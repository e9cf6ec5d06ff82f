/// Is one fault on one direction of one flow: a value, so its state is plain `var`s.
///
/// A new one is a file here with its row in `Toxics.all`. What it returns with a later due time is held for it by its
/// stage of the flow's chain; it keeps bytes of its own only to look for something across chunks.
public protocol Toxic: Sendable {
    /// Says that chunks now go on untouched and at once: the relay then need not ask, nor copy them.
    var passesChunks: Bool { get }

    /// Says what becomes of a chunk, or of the end of a stream.
    ///
    /// - Parameters:
    ///   - input: what has come.
    ///   - now: the time; a toxic reads no clock.
    ///   - random: the toxic's own seeded generator on this flow; it rolls no other dice.
    /// - Returns: the chunks that go on, each with its time, and what follows them.
    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict

    /// Takes what is to survive a change of the settings from the toxic as it was, as a count of bytes.
    mutating func adopt(_ previous: any Toxic)
}

extension Toxic {
    /// Is false: a toxic wants to see chunks.
    public var passesChunks: Bool { false }

    /// Takes nothing.
    public mutating func adopt(_ previous: any Toxic) {}
}

/// Says what a toxic is asked about.
public enum ToxicInput: Hashable, Sendable {
    /// The flow has met the toxic, or its settings have changed.
    case added
    /// A chunk has come.
    case chunk(Chunk)
    /// The source has sent its last byte.
    case end
    /// The time has come for which `Verdict.Sequel.wake` asked.
    case wake
    /// The toxic is taken away, or replaced by one with other settings: bytes that it keeps itself go on now.
    case removed
}

/// Says what a toxic made of its input.
public struct Verdict: Hashable, Sendable {
    /// Lists the chunks that go on, with their due times.
    ///
    /// A stream's never overtake each other: one that is due before an earlier one waits for it.
    public var chunks: [Chunk]
    /// Says what follows them.
    public var then: Sequel
    /// Counts the bytes that the toxic has dropped.
    public var droppedBytes = 0
    /// Counts the chunks that the toxic has dropped whole: with datagrams, the datagrams.
    public var droppedChunks = 0

    /// Makes a verdict.
    public init(_ chunks: [Chunk] = [], then: Sequel = .proceed) {
        self.chunks = chunks
        self.then = then
    }

    /// Makes the verdict that a chunk is dropped.
    public static func dropping(_ chunk: Chunk, then: Sequel = .proceed) -> Verdict {
        var verdict = Verdict(then: then)
        verdict.droppedBytes = chunk.bytes.count
        verdict.droppedChunks = 1
        return verdict
    }

    /// Lists what can follow a verdict's chunks.
    ///
    /// A close, a reset or a wake that was asked for before is replaced.
    public enum Sequel: Hashable, Sendable {
        /// Go on: an end is passed on after everything before it, and nothing is due any more.
        case proceed
        /// End the direction at a time, as if its source had sent its last byte.
        case finish(at: Instant)
        /// End both directions at a time, each behind its last byte.
        case close(at: Instant)
        /// Reset both sides at a time.
        case reset(at: Instant)
        /// Ask again at a time, with `ToxicInput.wake`.
        case wake(at: Instant)
    }
}
