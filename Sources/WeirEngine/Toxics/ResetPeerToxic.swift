import WeirWire

/// A toxic that resets both sides a time after the first data or end, and drops everything that arrives in the
/// meantime.
struct ResetPeerToxic: Toxic {
    static let type = ToxicType(
        "reset_peer",
        "Resets both sides a time after the first data or end; a session of datagrams ends.",
        [.integer("timeout", "ms", "the time from the first data or end to the reset")]
    ) { settings in
        ResetPeerToxic(timeout: settings.milliseconds("timeout"))
    }

    let timeout: Duration
    private var resetsAt: Instant?

    init(timeout: Duration) {
        self.timeout = timeout
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .added, .wake, .removed: return Verdict()
        case .chunk(let chunk): return .dropping(chunk, then: reset(now))
        case .end: return Verdict(then: reset(now))
        }
    }

    private mutating func reset(_ now: Instant) -> Verdict.Sequel {
        let at = resetsAt ?? now.advanced(by: timeout)
        resetsAt = at
        return .reset(at: at)
    }
}
