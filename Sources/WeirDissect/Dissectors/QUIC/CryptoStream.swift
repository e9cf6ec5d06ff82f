/// The CRYPTO frames of one side, in order.
///
/// Source: RFC 9000 section 19.6.
struct CryptoStream: Sendable {
    private var bytes: [UInt8] = []
    /// The parts that have arrived, in order, none touching the next.
    private var parts: [Range<Int>] = []
    /// The number of bytes returned so far.
    private var given = 0
    private static let limit = 64 << 10
    private static let partLimit = 256

    /// Adds the bytes of a frame.
    mutating func add(_ data: RawSpan, at offset: Int) {
        let end = offset &+ data.byteCount
        guard data.byteCount > 0, offset >= 0, end <= Self.limit, parts.count < Self.partLimit else { return }
        if bytes.count < end { bytes += Array(repeating: 0, count: end - bytes.count) }
        for index in 0..<data.byteCount {
            bytes[offset + index] = data.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        }
        var part = offset..<end
        let touching = parts.filter { $0.lowerBound <= part.upperBound && part.lowerBound <= $0.upperBound }
        for other in touching {
            part = min(part.lowerBound, other.lowerBound)..<max(part.upperBound, other.upperBound)
        }
        parts.removeAll { touching.contains($0) }
        parts.insert(part, at: parts.firstIndex { $0.lowerBound > part.lowerBound } ?? parts.count)
    }

    /// Returns the bytes that are newly in order, with their offset.
    mutating func next() -> (offset: Int, bytes: [UInt8])? {
        guard let first = parts.first, first.lowerBound <= given, first.upperBound > given else { return nil }
        defer { given = first.upperBound }
        return (given, Array(bytes[given..<first.upperBound]))
    }
}
