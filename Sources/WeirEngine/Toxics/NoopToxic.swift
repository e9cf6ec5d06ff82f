import WeirWire

/// A toxic that does nothing: chunks pass unchanged.
struct NoopToxic: Toxic {
    static let type = ToxicType("noop", "Does nothing.") { _ in NoopToxic() }

    var passesChunks: Bool { true }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        return Verdict([chunk])
    }
}
