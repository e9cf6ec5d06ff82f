import WeirWire

/// A toxic that delays the end of a stream.
struct SlowCloseToxic: Toxic {
    static let type = ToxicType(
        "slow_close",
        "Passes the end of a stream on later than it came; datagrams have no end.",
        [.integer("delay", "ms", "how much later")]
    ) { settings in
        SlowCloseToxic(delay: settings.milliseconds("delay"))
    }

    let delay: Duration

    var passesChunks: Bool { true }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .chunk(let chunk): Verdict([chunk])
        case .end: Verdict(then: .finish(at: now.advanced(by: delay)))
        case .added, .wake, .removed: Verdict()
        }
    }
}
