public import WeirWire

/// A fault on one direction of one flow: a value, so its state is plain `var`s.
///
/// A new one is a file here with its row in `Toxics.all`. If it returns a chunk with a later due time, its stage of the
/// flow's chain holds the chunk; a toxic keeps bytes of its own only to find something that spans several chunks.
public protocol Toxic: Sendable {
    /// Whether chunks now pass unchanged and without delay: the relay then neither asks the toxic nor copies them.
    var passesChunks: Bool { get }

    /// Decides what happens to a chunk, or to the end of a stream.
    ///
    /// - Parameters:
    ///   - input: what has arrived or happened.
    ///   - now: the time; a toxic reads no clock.
    ///   - random: the toxic's own seeded generator on this flow, its only source of randomness.
    /// - Returns: the chunks that go on, each with its due time, and what follows them.
    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict

    /// Takes over the state that survives a change of the settings, such as a count of bytes, from the previous toxic.
    mutating func adopt(_ previous: any Toxic)
}

extension Toxic {
    /// False: a toxic asks for chunks.
    public var passesChunks: Bool { false }

    /// Takes nothing over.
    public mutating func adopt(_ previous: any Toxic) {}
}

/// What a toxic is asked about.
public enum ToxicInput: Hashable, Sendable {
    /// The flow has met the toxic, or the toxic's settings have changed.
    case added
    /// A chunk has arrived.
    case chunk(Chunk)
    /// The source has sent its last byte.
    case end
    /// The time for which `Verdict.Sequel.wake` asked has come.
    case wake
    /// The toxic is removed, or replaced by one with other settings: the bytes that it keeps itself go on now.
    case removed
}

/// What a toxic decides about its input.
public struct Verdict: Hashable, Sendable {
    /// The chunks that go on, with their due times.
    ///
    /// The chunks of a stream never overtake each other: one that is due before an earlier one waits for it.
    public var chunks: [Chunk]
    /// What follows the chunks.
    public var then: Sequel
    /// The number of bytes that the toxic dropped.
    public var droppedBytes = 0
    /// The number of chunks that the toxic dropped whole: for UDP, of datagrams.
    public var droppedChunks = 0

    /// Creates a verdict.
    public init(_ chunks: [Chunk] = [], then: Sequel = .proceed) {
        self.chunks = chunks
        self.then = then
    }

    /// Returns the verdict that drops a chunk.
    public static func dropping(_ chunk: Chunk, then: Sequel = .proceed) -> Verdict {
        var verdict = Verdict(then: then)
        verdict.droppedBytes = chunk.bytes.count
        verdict.droppedChunks = 1
        return verdict
    }

    /// What can follow a verdict's chunks.
    ///
    /// It replaces an earlier request for a close, a reset or a wake.
    public enum Sequel: Hashable, Sendable {
        /// Go on: an end is passed on after everything before it, and nothing else is due any more.
        case proceed
        /// End the direction at a time, as if its source had sent its last byte.
        case finish(at: Instant)
        /// End both directions at a time, each after its last byte.
        case close(at: Instant)
        /// Reset both sides at a time.
        case reset(at: Instant)
        /// Ask again at a time, with `ToxicInput.wake`.
        case wake(at: Instant)
    }
}
