// The parts of a chunk that a dissector reads, so that the rest need not be kept for later readers.
public import WeirWire

extension FlowDissector {
    /// Reads a chunk of a stream, and returns the parts that it looked at.
    ///
    /// Another dissector that has read the same so far needs only these parts to find the same messages.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - direction: The direction of the bytes.
    /// - Returns: The parts, as ranges of the chunk, in order and apart from each other; and the number of bytes that
    ///   were read as messages or in vain, which may exceed that of the parts.
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

    /// Reads a chunk of a stream from the parts that another dissector looked at.
    ///
    /// Bytes between them that turn out to be of interest count as missing.
    ///
    /// - Parameters:
    ///   - bytes: The parts' bytes, end to end.
    ///   - parts: The ranges of the parts in the chunk, in order.
    ///   - count: The size of the chunk in bytes.
    ///   - direction: The direction of the bytes.
    ///   - time: The time of the chunk, in nanoseconds since 1970 UTC.
    ///   - receiver: Receives the messages that end in the chunk.
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
        // Once for each chunk, as for a chunk that is whole.
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

    /// Records bytes that were looked at, if `looks` is set; as an effort if they were read as a message or in vain.
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

/// The places of a direction's bytes that were looked at.
struct Looks: Sendable {
    let side: Int
    /// The ranges in the stream, in order and apart from each other.
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
