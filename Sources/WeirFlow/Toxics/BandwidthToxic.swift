import WeirWire

/// Lets bytes go on at a rate, as a link of that speed would: what comes faster waits.
///
/// A stream's chunk goes on in pieces of 20 ms; a datagram goes on whole, once the link has sent it. Source for the unit:
/// Toxiproxy's `bandwidth`, where 1 KB is 1,000 bytes.
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
    /// Says when the link has sent what it has taken.
    private var free = Instant(nanoseconds: .min)
    /// Counts what is left of a nanosecond, in 1/`rate` of it, so that no rounding adds up.
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

    /// Takes bytes onto the link, and says when it has sent them.
    private mutating func send(_ count: Int) -> Instant {
        // A byte takes 10⁹ ns / (rate · 10³).
        let (nanoseconds, rest) = (Int64(count) * 1_000_000 + remainder).quotientAndRemainder(dividingBy: rate)
        remainder = rest
        free = free.advanced(by: .nanoseconds(nanoseconds))
        return free
    }
}
