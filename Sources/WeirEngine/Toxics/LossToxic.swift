import WeirWire

/// A toxic that drops chunks at a rate, alone or in bursts.
struct LossToxic: Toxic {
    /// The type that drops datagrams.
    static let loss = ToxicType(
        "loss",
        "Drops datagrams at a rate, alone or in bursts.",
        transports: [.udp],
        [
            .number("rate", default: 0.1, "the share that is dropped"),
            .number("correlation", default: 0, "how much more likely a loss follows a loss, from 0 to 1"),
        ]
    ) { settings in
        LossToxic(BurstDraw(rate: settings.number("rate"), correlation: settings.number("correlation")))
    }

    /// The type that drops chunks of either transport, with Toxiproxy's names.
    static let packetLoss = ToxicType(
        "packet_loss",
        "Drops chunks at a rate: whole reads of a stream, or datagrams.",
        [
            .number("loss_rate", default: 0.1, "the share that is dropped"),
            .number("correlation", default: 0, "how much more likely a loss follows a loss, from 0 to 1"),
        ]
    ) { settings in
        LossToxic(BurstDraw(rate: settings.number("loss_rate"), correlation: settings.number("correlation")))
    }

    private var draw: BurstDraw

    init(_ draw: BurstDraw) {
        self.draw = draw
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        return draw.next(&random) ? .dropping(chunk) : Verdict([chunk])
    }
}
