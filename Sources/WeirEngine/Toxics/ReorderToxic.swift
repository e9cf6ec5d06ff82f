import WeirWire

/// A toxic that holds datagrams back, so that later ones overtake them.
struct ReorderToxic: Toxic {
    static let type = ToxicType(
        "reorder",
        "Holds datagrams back at a rate, so that those that follow overtake them.",
        transports: [.udp],
        [
            .number("rate", default: 0.25, "the share that is held back"),
            .number("correlation", default: 0, "how much more likely one follows another, from 0 to 1"),
            .integer("delay", "ms", default: 10, "how long one is held back"),
        ]
    ) { settings in
        ReorderToxic(
            BurstDraw(rate: settings.number("rate"), correlation: settings.number("correlation")),
            delay: settings.milliseconds("delay")
        )
    }

    private var draw: BurstDraw
    private let delay: Duration

    init(_ draw: BurstDraw, delay: Duration) {
        self.draw = draw
        self.delay = delay
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(var chunk) = input, draw.next(&random) else {
            if case .chunk(let chunk) = input { return Verdict([chunk]) }
            return Verdict()
        }
        if !chunk.changes.contains(where: { $0.kind == .reordered }) {
            chunk.changes.append(ToxicChange(.reordered, count: 1))
        }
        return Verdict([chunk.due(at: now.advanced(by: delay))])
    }
}
