import WeirWire

/// A toxic that drops everything, and closes the flow after a time without data; the end of a stream passes.
struct TimeoutToxic: Toxic {
    static let type = ToxicType(
        "timeout",
        "Drops everything, and closes the flow after a time without data; so does its removal.",
        [.integer("timeout", "ms", "the time, which each chunk begins anew; 0 waits until the toxic is removed")]
    ) { settings in
        TimeoutToxic(timeout: settings.milliseconds("timeout"))
    }

    let timeout: Duration

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .added: Verdict(then: closing(at: now))
        case .chunk(let chunk): .dropping(chunk, then: closing(at: now))
        case .end, .wake: Verdict()
        case .removed: Verdict(then: .close(at: now))
        }
    }

    private func closing(at now: Instant) -> Verdict.Sequel {
        timeout > .zero ? .close(at: now.advanced(by: timeout)) : .proceed
    }
}
