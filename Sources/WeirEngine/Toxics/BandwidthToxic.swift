import WeirWire

/// A toxic that limits the rate of bytes, as a link of that speed would: faster bytes wait.
///
/// A stream's chunk goes on in pieces of 20 ms; a datagram goes on whole, after the link has sent it. Source of the
/// unit: Toxiproxy's `bandwidth`, whose 1 KB is 1,000 bytes.
struct BandwidthToxic: Toxic {
    static let type = ToxicType(
        "bandwidth",
        "Lets bytes go on at a rate.",
        [.integer("rate", "KB/s", in: 0...1e9, "the rate, in 1,000 bytes a second; 0 lets nothing go on")]
    ) { settings in
        BandwidthToxic(kilobytesPerSecond: settings.integer("rate"), cuts: settings.transport == .tcp)
    }

    let rate: Int64
    let cuts: Bool
    private let pieceSize: Int
    /// The time at which the link has sent everything it has taken.
    private var free = Instant(nanoseconds: .min)
    /// The remaining fraction of a nanosecond, in units of 1/`rate`, so that rounding errors do not add up.
    private var remainder: Int64 = 0

    init(kilobytesPerSecond: Int, cuts: Bool) {
        rate = Int64(kilobytesPerSecond)
        self.cuts = cuts
        pieceSize = max(1, min(kilobytesPerSecond * 20, 1 << 16))
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        guard rate > 0 else { return Verdict([chunk.due(at: .never)]) }
        if free < now {
            free = now
            remainder = 0
        }
        guard cuts, chunk.bytes.count > pieceSize else { return Verdict([chunk.due(at: send(chunk.bytes.count))]) }
        var pieces: [Chunk] = []
        for start in stride(from: 0, to: chunk.bytes.count, by: pieceSize) {
            let end = min(start + pieceSize, chunk.bytes.count)
            pieces.append(chunk.part(start..<end, due: send(end - start)))
        }
        return Verdict(pieces)
    }

    /// Takes bytes onto the link, and returns when the link has sent them.
    private mutating func send(_ count: Int) -> Instant {
        // A byte takes 10⁹ ns / (rate · 10³).
        let (nanoseconds, rest) = (Int64(count) * 1_000_000 + remainder).quotientAndRemainder(dividingBy: rate)
        remainder = rest
        free = free.advanced(by: .nanoseconds(nanoseconds))
        return free
    }
}
