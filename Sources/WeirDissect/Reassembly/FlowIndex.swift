import WeirWire

/// An index of flows' places by a hash of their tuples, which is the same for both directions.
///
/// Open addressing in an array of words: the upper half of a word is the hash, the lower half the place plus one; a
/// word of 0 is free. Entries are never removed.
struct FlowIndex: Sendable {
    private var words: [UInt64]  // a power of two of them
    private var count = 0
    private let seed: (UInt64, UInt64)

    init(seed: UInt64) {
        words = Array(repeating: 0, count: 1 << 10)
        // Odd numbers without a pattern, from the digits of pi.
        self.seed = (seed ^ 0x243f_6a88_85a3_08d3, seed &* 0x1319_8a2e_0370_7345 ^ 0xa409_3822_299f_31d1)
    }

    /// Returns the hash of a tuple, the same one for the reversed tuple.
    @inline(__always)
    func hash(of tuple: FiveTuple) -> UInt32 {
        // A sum is the same for both directions; each endpoint is mixed well first.
        let sum = hash(of: tuple.source) &+ hash(of: tuple.destination)
        return UInt32(truncatingIfNeeded: mix(sum ^ seed.0, seed.1 &+ UInt64(tuple.transport.rawValue)))
    }

    @inline(__always)
    private func hash(of endpoint: Endpoint) -> UInt64 {
        let address = endpoint.address
        let rest = UInt64(address.family.rawValue) << 48 | UInt64(endpoint.port) << 32 | UInt64(address.scope)
        return mix(mix(address.high ^ seed.0, address.low ^ seed.1) ^ rest, seed.0)
    }

    /// Folds the 128 bits of a product.
    @inline(__always)
    private func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Returns the first place under a hash for which a closure returns true.
    @inline(__always)
    func find(_ hash: UInt32, isRight: (Int) -> Bool) -> Int? {
        let mask = words.count &- 1
        var slot = Int(hash) & mask
        while true {
            let word = words[slot]
            if word == 0 { return nil }
            if UInt32(truncatingIfNeeded: word >> 32) == hash {
                let place = Int(UInt32(truncatingIfNeeded: word)) &- 1
                if isRight(place) { return place }
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Inserts a new place.
    ///
    /// - Precondition: `place` is under 2 to the 31.
    mutating func insert(_ hash: UInt32, _ place: Int) {
        // At most half of the words are used, so that searches are short.
        if count &* 2 >= words.count { grow() }
        count &+= 1
        put(Self.word(hash, place))
    }

    /// Replaces a place by another one under the same hash.
    mutating func replace(_ hash: UInt32, _ old: Int, by new: Int) {
        let (mask, word) = (words.count &- 1, Self.word(hash, old))
        var slot = Int(hash) & mask
        while words[slot] != 0 {
            if words[slot] == word {
                words[slot] = Self.word(hash, new)
                return
            }
            slot = (slot &+ 1) & mask
        }
    }

    private static func word(_ hash: UInt32, _ place: Int) -> UInt64 {
        UInt64(hash) << 32 | UInt64(UInt32(truncatingIfNeeded: place &+ 1))
    }

    private mutating func put(_ word: UInt64) {
        let mask = words.count &- 1
        var slot = Int(word >> 32) & mask
        while words[slot] != 0 { slot = (slot &+ 1) & mask }
        words[slot] = word
    }

    private mutating func grow() {
        let old = words
        words = Array(repeating: 0, count: old.count * 2)
        for word in old where word != 0 { put(word) }
    }
}
