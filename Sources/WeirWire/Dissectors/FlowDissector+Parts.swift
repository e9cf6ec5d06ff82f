// What is looked at of a chunk, so that the rest of it need not be kept for whoever reads it later.
extension FlowDissector {
    /// Reads a chunk of a stream, and says which parts of it were looked at: all that another dissector that has read the
    /// same needs to say the same.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - direction: Which way they go.
    /// - Returns: The parts, as ranges of the chunk, in order and apart from each other; and how many bytes were looked at to
    ///   read messages or in vain, which can be more than the parts have.
    public mutating func parts(of bytes: RawSpan, _ direction: Direction) -> (parts: [Range<Int>], effort: Int) {
        let side = Int(direction.rawValue)
        let start = sides[side].offset &+ sides[side].held.count
        looks = Looks(side: side)
        add(bytes, direction, at: nil) { _ in }
        guard let looked = looks.take() else { return ([], 0) }
        let chunk = start..<(start &+ bytes.byteCount)
        let parts = looked.ranges.map { $0.clamped(to: chunk) }.filter { !$0.isEmpty }
        return (parts.map { ($0.lowerBound &- start)..<($0.upperBound &- start) }, looked.effort)
    }

    /// Reads a chunk of a stream of which the parts are there that were looked at elsewhere.
    ///
    /// Bytes between them that are looked at here after all are bytes that are missing.
    ///
    /// - Parameters:
    ///   - bytes: The parts' bytes, end to end.
    ///   - parts: Where they are in the chunk, in order.
    ///   - count: How many bytes the chunk has.
    ///   - direction: Which way they go.
    ///   - time: When they came, in nanoseconds since 1970 UTC.
    ///   - receiver: Takes the messages that end in the chunk.
    public mutating func add(
        _ bytes: RawSpan,
        parts: [Range<Int>],
        of count: Int,
        _ direction: Direction,
        at time: Int64?,
        to receiver: Receiver
    ) {
        let side = Int(direction.rawValue)
        var (place, at) = (0, 0)
        for part in parts {
            letPass(part.lowerBound &- place, side, at: time, receiver)
            sides[side].time = time
            let end = min(at &+ part.count, bytes.byteCount)
            addStream(bytes.extracting(at..<end), side, receiver)
            (place, at) = (part.upperBound, end)
        }
        letPass(count &- place, side, at: time, receiver)
        sides[side].time = time
        // Once for the chunk, as for one that is there whole.
        readWoken(receiver)
    }

    private mutating func letPass(_ count: Int, _ side: Int, at time: Int64?, _ receiver: Receiver) {
        guard count > 0 else { return }
        sides[side].time = time
        let passed = sides[side].pass(count)
        if passed > 0 { endIfPassed(side, receiver) }
        guard passed < count else { return }
        if sides[side].mode == .off || sides[side].isRest {
            sides[side].offset &+= count &- passed
        } else {
            skip(count &- passed, sides[side].direction, to: receiver)
        }
    }

    /// Notes that bytes of a stream are looked at, where that is asked for; as an effort, where they are read as a message or
    /// in vain.
    @inline(__always)
    mutating func look(_ side: Int, _ count: Int, isEffort: Bool = true) {
        if looks != nil { note(side, count, isEffort) }
    }

    @inline(never)
    private mutating func note(_ side: Int, _ count: Int, _ isEffort: Bool) {
        guard looks?.side == side, count > 0 else { return }
        let start = sides[side].offset
        looks?.add(start..<(start &+ count))
        if isEffort { looks?.effort &+= count }
    }
}

/// Collects where a direction's bytes were looked at.
struct Looks: Sendable {
    let side: Int
    /// Lists places in the stream, in order and apart from each other.
    private(set) var ranges: [Range<Int>] = []
    var effort = 0

    init(side: Int) {
        self.side = side
    }

    mutating func add(_ range: Range<Int>) {
        guard let last = ranges.last, range.lowerBound <= last.upperBound else { return ranges.append(range) }
        ranges[ranges.count &- 1] =
            min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
    }
}
