/// Up to 40 bytes of options of an IPv4 or a TCP header, within the header's value and without an allocation.
///
/// The bytes are as on the wire, with their padding.
public struct OptionBytes: Hashable, Sendable {
    /// The maximum number of bytes: a header has at most 60, of which 20 are fixed.
    public static let capacity = 40

    /// The number of bytes.
    public private(set) var count = 0

    // The first byte is the most significant one of the first word; unused bytes are 0.
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)

    /// Creates an empty value.
    public init() {}

    /// Copies some bytes; nil if there are more than 40.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= Self.capacity else { return nil }
        for offset in 0..<bytes.byteCount {
            append(bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self))
        }
    }

    /// Reads one byte.
    ///
    /// - Precondition: `index` is between 0 and `count - 1`.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "an index past the options")
        return UInt8(truncatingIfNeeded: self[word: index >> 3] >> UInt64(56 &- (index & 7) &* 8))
    }

    /// Appends a byte; returns false if there is no room.
    @discardableResult
    public mutating func append(_ byte: UInt8) -> Bool {
        guard count < Self.capacity else { return false }
        self[word: count >> 3] |= UInt64(byte) << UInt64(56 &- (count & 7) &* 8)
        count &+= 1
        return true
    }

    /// Compares the bytes as a header carries them, padded with zeros to a multiple of 4.
    public static func == (left: OptionBytes, right: OptionBytes) -> Bool {
        left.paddedCount == right.paddedCount && left.words == right.words
    }

    /// Feeds the bytes to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(paddedCount)
        for index in 0..<5 { hasher.combine(self[word: index]) }
    }

    private subscript(word index: Int) -> UInt64 {
        get {
            switch index {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            case 3: words.3
            default: words.4
            }
        }
        set {
            switch index {
            case 0: words.0 = newValue
            case 1: words.1 = newValue
            case 2: words.2 = newValue
            case 3: words.3 = newValue
            default: words.4 = newValue
            }
        }
    }
}

extension OptionBytes {
    /// The number of bytes as a header carries them, rounded up to a multiple of 4.
    var paddedCount: Int { (count &+ 3) & ~3 }

    /// Parses the bytes between two offsets; the caller has checked that they are there.
    init(parsing bytes: RawSpan, from start: Int, to end: Int) {
        var offset = start
        while offset &+ 8 <= end {
            self[word: count >> 3] = bytes.load(HeaderNumber<UInt64>(at: 0), at: offset)
            count &+= 8
            offset &+= 8
        }
        while offset < end {
            append(bytes.load(HeaderNumber<UInt8>(at: 0), at: offset))
            offset &+= 1
        }
    }

    /// Reads up to 8 bytes as a number in network order.
    func number(in range: Range<Int>) -> UInt64 {
        range.reduce(0) { $0 << 8 | UInt64(self[$1]) }
    }

    /// Appends the low bytes of a number in network order; the caller has checked that there is room.
    mutating func append(_ number: UInt64, width: Int) {
        for index in stride(from: width - 1, through: 0, by: -1) {
            append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
        }
    }

    /// Writes the bytes into a buffer from an offset on, with their padding, and returns their number.
    func emit(into room: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        for index in 0..<paddedCount { room[offset &+ index] = index < count ? self[index] : 0 }
        return paddedCount
    }

    /// Adds the bytes to a checksum, with their padding.
    func add(to checksum: inout Checksum) {
        for index in 0..<((count &+ 7) >> 3) { checksum.add(self[word: index]) }
    }
}

// Walking options: those of IPv4 and TCP have the same form
extension OptionBytes {
    /// One option, by the layout of its bytes.
    enum Option {
        /// Kind 0, which ends the list.
        case endOfList
        /// Kind 1, which has no length.
        case noOperation
        /// An option with content, whose range in the bytes excludes kind and length.
        case content(kind: UInt8, Range<Int>)
        /// An option without a length, or with one that is too small or too large.
        case malformed(kind: UInt8, at: Int)
    }

    /// Reads the option at an offset, and moves the offset to the next one, or to the end if there can be none.
    func nextOption(at offset: inout Int) -> Option? {
        guard offset < count else { return nil }
        let kind = self[offset]
        if kind == 0 {
            offset = count
            return .endOfList
        }
        if kind == 1 {
            offset &+= 1
            return .noOperation
        }
        let length = offset &+ 1 < count ? Int(self[offset &+ 1]) : 0
        guard length >= 2, length <= count &- offset else {
            defer { offset = count }
            return .malformed(kind: kind, at: offset)
        }
        defer { offset &+= length }
        return .content(kind: kind, (offset &+ 2)..<(offset &+ length))
    }
}
