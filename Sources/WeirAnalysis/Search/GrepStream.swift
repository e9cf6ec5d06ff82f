public import WeirWire

/// A match of a pattern in what a flow carried.
public struct GrepMatch: Hashable, Sendable {
    /// The place of the flow in the table.
    public var place: Int
    /// The direction of the bytes.
    public var direction: Direction
    /// The offset of the first byte in the stream, or in the datagram.
    public var offset: Int
    /// The time of the packet in which it ends, in nanoseconds since 1970 UTC; nil if it is not known.
    public var time: Int64?
    /// The bytes before it, as many as are shown.
    public var before: [UInt8] = []
    /// The bytes of the match.
    public var bytes: [UInt8] = []
    /// The bytes after it.
    public var after: [UInt8] = []
    /// The name of the field, if the match is in what a message says in other bytes, such as a name of DNS.
    public var field: String?

    /// Creates a match without its bytes.
    public init(place: Int, direction: Direction, offset: Int, time: Int64?) {
        self.place = place
        self.direction = direction
        self.offset = offset
        self.time = time
    }
}

/// The latest bytes of one direction of a flow, in which a pattern is searched.
struct GrepWindow: Sendable {
    private var bytes: [UInt8] = []
    /// The offset of the first of them in the stream.
    private var base = 0
    /// The place from which on a match may begin.
    private var next = 0
    private var isStart = true
    /// The times of the pieces of which bytes are kept, each with the offset of its end, in the order of the stream.
    private var pieces: [(end: Int, time: Int64?)] = []

    /// The offset of the end.
    var end: Int { base + bytes.count }

    /// Adds bytes, and finds the matches that are complete, with the bytes after them.
    ///
    /// - Parameters:
    ///   - added: The bytes.
    ///   - time: The time of their packet, in nanoseconds since 1970 UTC.
    ///   - isEnd: Whether no more follow.
    ///   - context: The number of bytes that are shown before and after a match.
    ///   - finder: Finds the matches.
    ///   - receiver: Receives the offset of each, the time of the packet in which it ends, and the bytes before it, in it and after it.
    mutating func add(
        _ added: RawSpan,
        at time: Int64? = nil,
        isEnd: Bool = false,
        context: Int,
        _ finder: inout PatternFinder,
        _ receiver: (Int, Int64?, _ before: [UInt8], _ match: [UInt8], _ after: [UInt8]) -> Void
    ) {
        added.withUnsafeBytes { bytes.append(contentsOf: $0) }
        if added.byteCount > 0 { pieces.append((end, time)) }
        while next < bytes.count {
            switch finder.find(in: bytes.span.bytes, from: next, isStart: isStart, isEnd: isEnd) {
            case .match(let match):
                guard isEnd || match.upperBound + context <= bytes.count else {
                    next = match.lowerBound
                    return trim(context)
                }
                let before = bytes[max(0, match.lowerBound - context)..<match.lowerBound]
                let after = bytes[match.upperBound..<min(bytes.count, match.upperBound + context)]
                let offset = base + match.lowerBound
                let time = self.time(of: base + match.upperBound)
                receiver(offset, time, Array(before), Array(bytes[match]), Array(after))
                next = match.upperBound
            case .none(let place):
                next = place
                return trim(context)
            }
        }
        trim(context)
    }

    /// Goes on after bytes that are missing.
    mutating func skip(_ count: Int) {
        base = end + count
        bytes = []
        pieces = []
        next = 0
        isStart = false
    }

    /// Returns the time of the piece that has the byte before an offset.
    private func time(of offset: Int) -> Int64? {
        pieces.first { $0.end >= offset }?.time
    }

    /// Forgets what is neither searched nor shown any more.
    private mutating func trim(_ context: Int) {
        // One byte more than is shown: whether a line or a word begins depends on it.
        let first = max(0, next - context - 1)
        guard first > 0 else { return }
        bytes.removeSubrange(..<first)
        base += first
        if let kept = pieces.firstIndex(where: { $0.end > base }) { pieces.removeFirst(kept) } else { pieces = [] }
        next -= first
        isStart = false
    }
}
