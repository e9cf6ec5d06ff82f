import WeirWire

/// A toxic that flips each bit with the same probability, so the flips do not depend on how a stream was split into
/// reads.
struct CorruptToxic: Toxic {
    static let type = ToxicType(
        "corrupt",
        "Flips bits at a rate.",
        [.number("rate", default: 0.0001, "the probability for each bit")]
    ) { settings in
        CorruptToxic(rate: settings.number("rate"))
    }

    let rate: Double
    /// The probability that a byte has at least one flipped bit.
    private let anyOfByte: Double

    init(rate: Double) {
        self.rate = rate
        var none = 1.0
        for _ in 0..<8 { none *= 1 - rate }
        anyOfByte = 1 - none
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(var chunk) = input else { return Verdict() }
        var flips: (count: Int, first: Int) = (0, 0)
        for index in chunk.bytes.indices {
            let unit = random.nextUnit()
            guard unit < anyOfByte else { continue }
            let mask = mask(unit, &random)
            if flips.count == 0 { flips.first = index }
            flips.count += mask.nonzeroBitCount
            chunk.bytes[index] ^= mask
        }
        if flips.count > 0 { chunk.changes.append(ToxicChange(.flipped, count: flips.count, offset: flips.first)) }
        return Verdict([chunk])
    }

    /// Draws which bits of a byte are flipped, given that at least one is.
    ///
    /// - Parameters:
    ///   - unit: a uniform random number below `anyOfByte`, which decides the first flipped bit.
    ///   - random: the generator that decides the bits after it.
    /// - Returns: a mask of the flipped bits.
    private func mask(_ unit: Double, _ random: inout SplitMix64) -> UInt8 {
        var first = 0
        var (mass, rest) = (rate, unit)
        while first < 7, rest >= mass {
            rest -= mass
            mass *= 1 - rate
            first += 1
        }
        var mask: UInt8 = 0x80 >> UInt8(first)
        for bit in first..<8 where bit > first && random.draw(rate) { mask |= 0x80 >> UInt8(bit) }
        return mask
    }
}
