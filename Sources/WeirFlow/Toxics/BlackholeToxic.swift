/// Drops everything, the end of a stream too, until it is removed; the flow stays open.
struct BlackholeToxic: Toxic {
    static let type = ToxicType(
        "blackhole",
        "Drops everything, and holds the end of a stream back, until it is removed; the flow stays open."
    ) { _ in BlackholeToxic() }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .chunk(let chunk): .dropping(chunk)
        case .end: Verdict(then: .stall)
        case .added, .wake, .removed: Verdict()
        }
    }
}
