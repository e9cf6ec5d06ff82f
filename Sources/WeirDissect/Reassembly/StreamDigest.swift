import WeirWire

/// Hashes of the messages of a stream: the same for the same bytes, however the stream is cut into pieces.
///
/// The hash of a range is a polynomial of its bytes. It tells the two legs of a flow apart, nothing else: an author of
/// traffic can make two messages with one hash.
struct StreamDigest: Sendable {
    /// An odd number without a pattern, from the digits of pi.
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The number of bytes of the stream up to which `hash` counts.
    private var end = 0
    /// The hash of everything up to `end`; of what came after the last gap.
    private var hash: UInt64 = 0
    /// The end of the last message, and the hash up to there; -1 if that is not known.
    private var mark = 0
    private var markedHash: UInt64 = 0

    /// Counts bytes that are missing: a message with a part of them has no hash.
    mutating func skip(_ count: Int) {
        end &+= count
        mark = -1
    }

    /// Hashes a message that ends in these bytes.
    ///
    /// - Parameters:
    ///   - range: The range of the message in the stream; messages come in order.
    ///   - bytes: The bytes in which it ends.
    ///   - start: Their offset in the stream.
    /// - Returns: The hash; nil if the message's bytes are not all known, or do not follow those of the message before.
    mutating func hash(of range: Range<Int>, endingIn bytes: RawSpan, at start: Int) -> UInt64? {
        guard advance(to: range.upperBound, in: bytes, at: start) else {
            mark = -1
            return nil
        }
        defer { (mark, markedHash) = (end, hash) }
        guard mark == range.lowerBound else { return nil }
        return hash &- markedHash &* Self.power(range.count)
    }

    /// Counts the bytes up to an offset in them; returns false if they were counted already, or are not there.
    mutating func advance(to offset: Int, in bytes: RawSpan, at start: Int) -> Bool {
        guard offset >= end, end >= start, offset <= start &+ bytes.byteCount else { return false }
        for index in (end &- start)..<(offset &- start) {
            hash = hash &* Self.factor &+ UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) &+ 1
        }
        end = offset
        return true
    }

    /// Returns the hash of a part of a datagram.
    static func hash(of range: Range<Int>, in bytes: RawSpan) -> UInt64 {
        var digest = StreamDigest()
        let part = bytes.extracting(range.clamped(to: 0..<bytes.byteCount))
        return digest.advance(to: part.byteCount, in: part, at: 0) ? digest.hash : 0
    }

    /// Returns a power of the factor.
    private static func power(_ exponent: Int) -> UInt64 {
        var (result, base, rest) = (UInt64(1), factor, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result &*= base }
            base &*= base
            rest >>= 1
        }
        return result
    }
}
