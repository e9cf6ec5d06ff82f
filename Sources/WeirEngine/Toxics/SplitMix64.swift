/// A generator of random numbers from a seed: the same seed and input give the same result.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 17.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    /// Creates a generator from a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// Creates the generator of one toxic on one flow, independent of everything that happens elsewhere.
    ///
    /// - Parameters:
    ///   - seed: the flow's seed.
    ///   - name: the toxic's name.
    ///   - direction: the number of the toxic's direction.
    init(seed: UInt64, name: String, direction: UInt8) {
        // Source: FNV-1a with 64 bits, draft-eastlake-fnv-17 section 2.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var mixer = SplitMix64(seed: seed ^ hash &+ UInt64(direction))
        state = mixer.next()
    }

    /// Returns the next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Returns a number in 0..<1, in steps of 2⁻⁵³.
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Draws once, and returns true with the given probability.
    mutating func draw(_ probability: Double) -> Bool { nextUnit() < probability }
}
