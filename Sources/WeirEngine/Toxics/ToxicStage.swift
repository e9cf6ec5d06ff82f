import WeirWire

/// One toxic's place in the chain of one flow and direction, with what the toxic holds there.
struct ToxicStage: Sendable {
    /// Whether the toxic acts on this flow.
    enum Meeting: Sendable {
        /// The first bytes, which decide it, have not arrived yet.
        case undecided
        /// The toxic acts: the draw with its toxicity decided so.
        case acts
        /// The toxic does nothing.
        case passes
    }

    /// What happens at a set time, whether or not anything arrives.
    enum Deadline: Sendable {
        case wake, close, reset
    }

    var entry: ToxicSet.Entry
    var toxic: any Toxic
    var meeting = Meeting.undecided
    var random: SplitMix64
    var queue = HeldQueue()
    var deadline: (at: Instant, what: Deadline)?
    /// Whether the toxic has ended the direction itself: nothing goes on after that.
    var hasEnded = false
    /// The end that the toxic holds back; nil if none.
    var heldEnd: HeldEnd?

    /// An end, with the toxic that made it, if one did.
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

    /// Asks the toxic, with the stage's own random generator.
    mutating func ask(_ input: ToxicInput, at now: Instant) -> Verdict {
        toxic.process(input, at: now, random: &random)
    }

    /// Whether chunks pass unchanged and without delay.
    var isClear: Bool {
        guard queue.isEmpty, !hasEnded else { return false }
        return meeting == .acts ? toxic.passesChunks : true
    }
}
