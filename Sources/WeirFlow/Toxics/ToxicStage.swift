import WeirWire

/// Is one toxic's place in the chain of one flow and direction, with what the toxic holds there.
struct ToxicStage: Sendable {
    /// Says whether the toxic acts on this flow.
    enum Meeting: Sendable {
        /// The first bytes that decide it have not come yet.
        case undecided
        /// It acts: the draw of the toxicity said so.
        case acts
        /// It does nothing.
        case passes
    }

    /// Says what is to happen at a time of its own, whatever comes.
    enum Deadline: Sendable {
        case wake, close, reset
    }

    var entry: ToxicSet.Entry
    var toxic: any Toxic
    var meeting = Meeting.undecided
    var random: SplitMix64
    var queue = HeldQueue()
    var deadline: (at: Instant, what: Deadline)?
    /// The toxic has ended the direction itself: nothing goes on behind that.
    var hasEnded = false
    /// Holds an end that the toxic holds back.
    var heldEnd: HeldEnd?

    /// Is an end, with the toxic that made it, if one did.
    struct HeldEnd: Sendable { var closer: ToxicSet.Entry? }

    init(_ entry: ToxicSet.Entry, seed: UInt64) {
        self.entry = entry
        toxic = entry.prototype
        random = SplitMix64(seed: seed, name: entry.name, direction: entry.direction.rawValue)
    }

    /// Draws whether the toxic acts on this flow.
    mutating func draw() {
        let toxicity = Double(entry.configuration.toxicity)
        meeting = random.draw(toxicity) ? .acts : .passes
    }

    /// Asks the toxic, with the stage's own dice.
    mutating func ask(_ input: ToxicInput, at now: Instant) -> Verdict {
        toxic.process(input, at: now, random: &random)
    }

    /// Says that chunks go by untouched and at once.
    var isClear: Bool {
        guard queue.isEmpty, !hasEnded else { return false }
        return meeting == .acts ? toxic.passesChunks : true
    }
}
