/// A set of byte values.
struct ByteSet: Hashable, Sendable {
    private var bits = SIMD4<UInt64>(repeating: 0)

    /// Creates an empty set.
    init() {}

    /// Creates a set of some values.
    init(_ values: some Sequence<UInt8>) {
        for value in values { insert(value) }
    }

    /// All letters, digits and `_`.
    static let word = ByteSet(Array(0x30...0x39) + Array(0x41...0x5a) + Array(0x61...0x7a) + [0x5f])
    /// The decimal digits.
    static let digits = ByteSet(0x30...0x39)
    /// Blank, tab, line feed, vertical tab, form feed and carriage return.
    static let blanks = ByteSet([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d])
    /// Everything but a line feed.
    static let noLineFeed = ByteSet([0x0a]).inverted

    /// Whether the set has no value.
    var isEmpty: Bool { bits == SIMD4(repeating: 0) }

    /// The values that are not in the set.
    var inverted: ByteSet {
        var set = self
        set.bits = ~bits
        return set
    }

    /// The set, with the other case of each ASCII letter in it.
    var ignoringCase: ByteSet {
        var set = self
        for value in UInt8(ascii: "a")...UInt8(ascii: "z") where contains(value) || contains(value &- 32) {
            set.insert(value)
            set.insert(value &- 32)
        }
        return set
    }

    /// Returns whether a value is in the set.
    func contains(_ value: UInt8) -> Bool { bits[Int(value >> 6)] >> UInt64(value & 63) & 1 != 0 }

    /// Adds a value.
    mutating func insert(_ value: UInt8) { bits[Int(value >> 6)] |= 1 << UInt64(value & 63) }

    /// Adds the values of another set.
    mutating func formUnion(_ other: ByteSet) { bits |= other.bits }
}
