import WeirWire

/// A toxic that delays each chunk from its arrival on, so that many can be on their way at once.
///
/// A stream's end waits for the chunks before it. With jitter, datagrams may overtake each other.
struct LatencyToxic: Toxic {
    static let type = ToxicType(
        "latency",
        "Delays what passes, each chunk from its arrival on.",
        [
            .integer("latency", "ms", "the delay"),
            .integer("jitter", "ms", "how far a chunk's delay may be from it, either way, uniformly"),
        ]
    ) { settings in
        LatencyToxic(latency: settings.milliseconds("latency"), jitter: settings.milliseconds("jitter"))
    }

    let latency: Int64
    let jitter: Int64

    init(latency: Duration, jitter: Duration) {
        self.latency = latency.inNanoseconds
        self.jitter = jitter.inNanoseconds
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        let offset = jitter > 0 ? Int64.random(in: -jitter..<jitter, using: &random) : 0
        let delay = max(0, latency &+ offset)
        return Verdict([chunk.due(at: max(now, chunk.arrivedAt.advanced(by: .nanoseconds(delay))))])
    }
}
