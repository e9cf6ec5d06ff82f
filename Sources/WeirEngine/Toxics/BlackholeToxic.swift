import WeirWire

/// A toxic that drops everything until it is removed; the flow stays open.
///
/// The end of a stream passes: a client that leaves must not leave a flow open forever.
struct BlackholeToxic: Toxic {
    static let type = ToxicType(
        "blackhole",
        "Drops everything until it is removed; the flow stays open, and the end of a stream passes."
    ) { _ in BlackholeToxic() }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        return .dropping(chunk)
    }
}
