import WeirWire

/// A toxic that sends datagrams more than once.
struct DuplicateToxic: Toxic {
    static let type = ToxicType(
        "duplicate",
        "Sends datagrams more than once, at a rate.",
        transports: [.udp],
        [
            .number("rate", default: 0.1, "the share that is sent more than once"),
            .number("correlation", default: 0, "how much more likely one follows another, from 0 to 1"),
            .integer("copies", "datagrams", default: 1, in: 1...100, "how many more are sent"),
        ]
    ) { settings in
        DuplicateToxic(
            BurstDraw(rate: settings.number("rate"), correlation: settings.number("correlation")),
            copies: settings.integer("copies")
        )
    }

    private var draw: BurstDraw
    private let copies: Int

    init(_ draw: BurstDraw, copies: Int) {
        self.draw = draw
        self.copies = copies
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(var chunk) = input else { return Verdict() }
        guard draw.next(&random) else { return Verdict([chunk]) }
        chunk.changes.append(ToxicChange(.duplicated, count: copies + 1))
        return Verdict(Array(repeating: chunk, count: copies + 1))
    }
}
