import WeirWire

/// The state of a TCP flow's end in a capture.
public enum FlowClose: String, Hashable, Sendable, CaseIterable {
    /// Neither side has ended it.
    case open
    /// The client's SYN was not answered.
    case unanswered
    /// The server answered the client's SYN with a reset.
    case refused
    /// Only the client has sent its FIN.
    case clientFinished = "client_finished"
    /// Only the server has sent its FIN.
    case serverFinished = "server_finished"
    /// Both sides have sent their FIN.
    case finished
    /// The client reset it before both sides had sent their FIN.
    case clientReset = "client_reset"
    /// The server reset it before both sides had sent their FIN.
    case serverReset = "server_reset"
}

/// The progress of a TCP flow: how it began and ended, and whether a SYN begins another flow.
@usableFromInline
struct TCPProgress: Hashable, Sendable {
    /// The initial sequence numbers of the two sides as far as they are known, the client's first.
    @usableFromInline var firstNumbers: (UInt32, UInt32) = (0, 0)
    /// The sequence numbers after the last byte of payload of the two sides, if any was seen, the client's first.
    @usableFromInline var ends: (UInt32, UInt32) = (0, 0)
    @usableFromInline var seen: Seen = []
    /// The bytes that were left out, oldest first: packets that were not captured, or that come late.
    @usableFromInline var holes: [Hole] = []

    /// Bytes of a side between those that were captured.
    @usableFromInline
    struct Hole: Hashable, Sendable {
        var side: Direction
        /// The sequence number of the first byte.
        var start: UInt32
        var length: Int
    }

    @usableFromInline
    init() {}

    /// The kinds of segments seen; the server's bits are the client's shifted by 8.
    @usableFromInline
    struct Seen: OptionSet, Hashable, Sendable {
        @usableFromInline let rawValue: UInt16
        @usableFromInline init(rawValue: UInt16) { self.rawValue = rawValue }
        static let number = Seen(rawValue: 1)
        static let syn = Seen(rawValue: 2)
        static let fin = Seen(rawValue: 4)
        /// A reset that came before both sides had sent their FIN.
        static let reset = Seen(rawValue: 8)
        /// A segment without SYN and without RST.
        static let other = Seen(rawValue: 16)
        /// An acknowledgment of the side's initial sequence number, after which no SYN changes the number.
        static let settled = Seen(rawValue: 32)
        /// A byte of payload.
        static let payload = Seen(rawValue: 64)

        func of(_ side: Direction) -> Seen { side == .upstream ? self : Seen(rawValue: rawValue << 8) }
    }

    @usableFromInline
    static func == (left: TCPProgress, right: TCPProgress) -> Bool {
        left.firstNumbers == right.firstNumbers && left.ends == right.ends && left.seen == right.seen
            && left.holes == right.holes
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        hasher.combine(firstNumbers.0)
        hasher.combine(firstNumbers.1)
        hasher.combine(seen)
    }
}

extension TCPProgress {
    /// Returns whether a segment begins another flow with the same endpoints.
    ///
    /// That is a SYN whose number differs from the initial sequence number of this flow's side.
    ///
    /// Wireshark 4.0 does the same. A SYN with the same number is a retransmission, even after a reset.
    func isEnded(by segment: StreamSegment, from side: Direction) -> Bool {
        segment.isFirstSYN && seen.contains(.number.of(side)) && number(of: side) != segment.sequenceNumber
    }

    /// Returns whether a segment shows that the server is the client.
    func showsClient(_ segment: StreamSegment, from side: Direction) -> Bool {
        if segment.isFirstSYN { return side == .downstream && !seen.contains(.syn.of(.upstream)) }
        // The side that answers a SYN is the server.
        let isAnswer = segment.flags.isSuperset(of: [.syn, .ack])
        return isAnswer && side == .upstream && seen.isDisjoint(with: [.syn.of(.upstream), .syn.of(.downstream)])
    }

    /// Updates the progress with a segment.
    mutating func count(_ segment: StreamSegment, from side: Direction) {
        let flags = segment.flags
        // In a synchronized state a SYN changes nothing. Source: RFC 9293 section 3.10.7.4.
        let isStart = flags.isSuperset(of: [.syn, .ack]) && !seen.contains(.settled.of(side))
        if !seen.contains(.number.of(side)) || isStart {
            setNumber(of: side, flags.contains(.syn) ? segment.sequenceNumber : segment.sequenceNumber &- 1)
        }
        if flags.contains(.ack), !flags.contains(.rst) || !seen.contains(.number.of(side.opposite)) {
            settle(side.opposite, by: segment.acknowledgmentNumber)
        }
        // A side that has only sent its SYN drops segments without SYN and RST. Source: RFC 9293 section 3.10.7.3.
        let isDropped =
            flags.isDisjoint(with: [.syn, .rst]) && isSynSent(side.opposite) && !seen.contains(.syn.of(side))
        if flags.contains(.syn) { seen.insert(.syn.of(side)) }
        if flags.contains(.fin), !isDropped { seen.insert(.fin.of(side)) }
        if flags.isDisjoint(with: [.syn, .rst]) { seen.insert(.other.of(side)) }
        let isFinished = seen.isSuperset(of: [.fin, .fin.of(.downstream)])
        let isReset = !seen.isDisjoint(with: [.reset, .reset.of(.downstream)])
        if flags.contains(.rst), !isFinished, !isReset { seen.insert(.reset.of(side)) }
    }

    /// Moves past the payload of a segment that was counted, and returns the number of bytes that no segment had before.
    ///
    /// Bytes that were not captured do not count; a segment that comes late does. A segment far away from the others counts as itself:
    /// its numbers are wrong, or those of the others were.
    mutating func advance(over segment: StreamSegment, from side: Direction) -> Int {
        let start = segment.sequenceNumber &+ (segment.flags.contains(.syn) ? 1 : 0)
        let end = start &+ UInt32(truncatingIfNeeded: segment.length)
        let hasEnd = seen.contains(.payload.of(side))
        let before = hasEnd ? (side == .upstream ? ends.0 : ends.1) : number(of: side) &+ 1
        let skipped = sequenceDistance(from: before, to: start)
        let added = sequenceDistance(from: before, to: end)
        let isFar = !(-Self.mostLost...Self.mostLost).contains(skipped)
        if isFar || added > 0 {
            if side == .upstream { ends.0 = end } else { ends.1 = end }
            if !hasEnd { seen.insert(.payload.of(side)) }
        }
        guard !isFar, skipped != 0 else { return segment.length }
        if skipped > 0 {
            if holes.count == Self.mostHoles { holes.removeFirst() }
            holes.append(Hole(side: side, start: before, length: skipped))
            return segment.length
        }
        return max(added, 0) + (holes.isEmpty ? 0 : fill(side, start, segment.length))
    }

    /// The maximum number of holes that are kept of a flow; bytes that come late for another one do not count.
    private static let mostHoles = 16

    /// Removes bytes from the holes, and returns how many were in them.
    private mutating func fill(_ side: Direction, _ start: UInt32, _ length: Int) -> Int {
        var filled = 0
        var left: [Hole] = []
        for hole in holes {
            let first = sequenceDistance(from: hole.start, to: start)
            let range = max(first, 0)..<max(max(first, 0), min(first + length, hole.length))
            guard hole.side == side, !range.isEmpty else {
                left.append(hole)
                continue
            }
            filled += range.count
            if range.lowerBound > 0 { left.append(Hole(side: side, start: hole.start, length: range.lowerBound)) }
            if range.upperBound < hole.length {
                let next = hole.start &+ UInt32(truncatingIfNeeded: range.upperBound)
                left.append(Hole(side: side, start: next, length: hole.length - range.upperBound))
            }
        }
        holes = Array(left.suffix(Self.mostHoles))
        return filled
    }

    var close: FlowClose {
        if seen.contains(.reset) { return .clientReset }
        if seen.contains(.reset.of(.downstream)) {
            let isAnswered = !seen.isDisjoint(with: [.syn.of(.downstream), .other.of(.downstream)])
            return seen.contains(.syn) && !isAnswered ? .refused : .serverReset
        }
        switch (seen.contains(.fin), seen.contains(.fin.of(.downstream))) {
        case (true, true): return .finished
        case (true, false): return .clientFinished
        case (false, true): return .serverFinished
        case (false, false):
            let isAnswered = !seen.isDisjoint(with: [.syn.of(.downstream), .other.of(.downstream)])
            return seen.contains(.syn) && !isAnswered && !seen.contains(.other) ? .unanswered : .open
        }
    }

    mutating func swapSides() {
        firstNumbers = (firstNumbers.1, firstNumbers.0)
        ends = (ends.1, ends.0)
        for index in holes.indices { holes[index].side = holes[index].side.opposite }
        seen = Seen(rawValue: seen.rawValue << 8 | seen.rawValue >> 8)
    }

    func firstNumber(of side: Direction) -> UInt32? { seen.contains(.number.of(side)) ? number(of: side) : nil }

    private func number(of side: Direction) -> UInt32 { side == .upstream ? firstNumbers.0 : firstNumbers.1 }

    /// Returns whether a side has sent its SYN and nothing since.
    private func isSynSent(_ side: Direction) -> Bool {
        seen.contains(.syn.of(side)) && !seen.contains(.other.of(side))
    }

    /// Derives the other side's initial sequence number from an acknowledgment.
    private mutating func settle(_ side: Direction, by acknowledgment: UInt32) {
        let first = acknowledgment &- 1
        guard seen.contains(.number.of(side)) else { return setNumber(of: side, first) }
        guard !seen.contains(.settled.of(side)), seen.contains(.syn.of(side)) else { return }
        if number(of: side) == first {
            seen.insert(.settled.of(side))
        } else if !seen.contains(.other.of(side)),
            !(0...Self.mostLost).contains(sequenceDistance(from: number(of: side), to: first))
        {
            // The SYN was an old one, and the acknowledged bytes were not captured yet.
            setNumber(of: side, first)
            seen.insert(.settled.of(side))
        }
    }

    /// The maximum number of bytes that can be acknowledged without having been captured.
    private static var mostLost: Int { 1 << 24 }

    private mutating func setNumber(of side: Direction, _ number: UInt32) {
        if side == .upstream { firstNumbers.0 = number } else { firstNumbers.1 = number }
        seen.insert(.number.of(side))
    }
}
