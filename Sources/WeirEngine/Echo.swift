import WeirWire

/// The upstream bytes that a downstream chunk repeats, and the time that they took.
public struct Echo: Hashable, Sendable {
    /// The offset of the first repeated byte in the upstream direction.
    public var offset: UInt64
    /// The time from the reading of the first repeated byte to the reading of the chunk that repeats it.
    public var delay: Duration

    /// Creates the description of an echo.
    public init(offset: UInt64, delay: Duration) {
        self.offset = offset
        self.delay = delay
    }
}

/// A matcher that finds upstream bytes that come back downstream.
///
/// A stream's bytes must come back in order; chunk borders may differ. Of a session, any of the last 64 datagrams may
/// come back. Only unmatched bytes are kept, at most `window` of them; for traffic that is no echo, the search silently
/// ends.
struct EchoMatcher {
    private enum Mode { case stream, datagrams, givenUp }

    /// An upstream chunk that has not come back completely.
    private struct Mark {
        var offset: UInt64
        var length: Int
        var at: Instant
        var isMatched = false
    }

    private static let datagramsKept = 64
    private static let missesAllowed = 256
    /// The maximum number of marks; in a stream of tiny chunks, further ones share the last mark, and thus its time.
    private static let marksKept = 1024

    private var mode: Mode
    private let window: Int
    /// Whether an echo is expected: then traffic that is no echo is a mismatch, and never given up silently.
    private let isExpected: Bool
    private var ring = ByteRing()
    private var marks: [Mark] = []
    private var misses = 0
    /// The number of datagrams that were forgotten before they came back.
    private var unanswered: UInt64 = 0
    private var end: UInt64 = 0
    /// The mismatch found in the last chunk, until it is taken.
    private var mismatch: Mismatch?

    init(transport: Transport, window: Int, isExpected: Bool = false) {
        self.window = isExpected && transport == .udp ? max(window, 65_535) : window
        self.isExpected = isExpected
        mode = window == 0 ? .givenUp : transport == .tcp ? .stream : .datagrams
    }

    /// Keeps an upstream chunk until it comes back.
    mutating func upstream(_ bytes: RawSpan, offset: UInt64, at now: Instant) {
        end = offset + UInt64(bytes.byteCount)
        switch mode {
        case .givenUp:
            return
        case .stream:
            guard isExpected || ring.count + bytes.byteCount <= window else { return giveUp() }
        case .datagrams:
            guard bytes.byteCount <= window else { return }
            while let first = marks.first,
                first.isMatched || marks.count == Self.datagramsKept || ring.count + bytes.byteCount > window
            {
                if !first.isMatched { (misses, unanswered) = (misses + 1, unanswered + 1) }
                ring.removeFirst(first.length)
                marks.removeFirst()
            }
            guard isExpected || misses < Self.missesAllowed else { return giveUp() }
        }
        bytes.withUnsafeBytes { ring.append($0) }
        if mode == .stream, marks.count == Self.marksKept {
            marks[marks.count - 1].length += bytes.byteCount
        } else {
            marks.append(Mark(offset: offset, length: bytes.byteCount, at: now))
        }
    }

    /// Returns which upstream bytes a whole downstream chunk repeats, and forgets them.
    mutating func downstream(_ bytes: RawSpan, at now: Instant) -> Echo? {
        switch mode {
        case .givenUp: nil
        case .stream: matchStream(bytes, at: now)
        case .datagrams: matchDatagram(bytes, at: now)
        }
    }

    private mutating func matchStream(_ bytes: RawSpan, at now: Instant) -> Echo? {
        guard let first = marks.first else {
            if isExpected, bytes.byteCount > 0 {
                note(offset: end, Sent(start: 0, count: 0), received: bytes, at: 0)
                giveUp()
            }
            return nil
        }
        let expected = min(bytes.byteCount, ring.count)
        let equal = bytes.withUnsafeBytes { ring.commonPrefix(with: $0) }
        guard equal == expected, !isExpected || equal == bytes.byteCount else {
            let sent = Sent(start: 0, count: ring.count)
            note(offset: first.offset + UInt64(equal), sent, received: bytes, at: equal)
            giveUp()
            return nil
        }
        ring.removeFirst(equal)
        var left = equal
        var whole = 0
        while whole < marks.count, marks[whole].length <= left {
            left -= marks[whole].length
            whole += 1
        }
        marks.removeFirst(whole)
        if left > 0 {
            marks[0].offset += UInt64(left)
            marks[0].length -= left
        }
        // Bytes after the last unmatched one are no echo.
        return equal == bytes.byteCount ? Echo(offset: first.offset, delay: first.at.duration(to: now)) : nil
    }

    private mutating func matchDatagram(_ bytes: RawSpan, at now: Instant) -> Echo? {
        var start = 0
        for index in marks.indices {
            let mark = marks[index]
            defer { start += mark.length }
            guard !mark.isMatched, mark.length == bytes.byteCount,
                bytes.withUnsafeBytes({ ring.commonPrefix(with: $0, from: start) }) == mark.length
            else { continue }
            misses = 0
            match(index)
            return Echo(offset: mark.offset, delay: mark.at.duration(to: now))
        }
        misses += 1
        noteDatagram(bytes)
        if !isExpected, misses >= Self.missesAllowed { giveUp() }
        return nil
    }

    /// Notes where a datagram that is no echo differs from the sent one that is most similar.
    ///
    /// That one then counts as returned: a changed datagram is one mismatch, and not an unanswered datagram as well.
    private mutating func noteDatagram(_ bytes: RawSpan) {
        guard isExpected else { return }
        guard let (index, start) = closestMark(to: bytes) else {
            return note(offset: end, Sent(start: 0, count: 0), received: bytes, at: 0)
        }
        let mark = marks[index]
        let equal = min(mark.length, bytes.withUnsafeBytes { ring.commonPrefix(with: $0, from: start) })
        let sent = Sent(start: start, count: mark.length)
        note(offset: mark.offset + UInt64(equal), sent, received: bytes, at: equal)
        match(index)
    }

    /// Finds the unreturned datagram that differs least from a given one.
    ///
    /// If one has the same length, it is the one with the fewest different bytes; else the oldest. Complexity: O(n) in
    /// the bytes kept.
    private func closestMark(to bytes: RawSpan) -> (index: Int, start: Int)? {
        var start = 0
        var closest: (index: Int, start: Int)?
        var least = Int.max
        for (index, mark) in marks.enumerated() {
            defer { start += mark.length }
            guard !mark.isMatched else { continue }
            var distance = Int.max - 1
            if mark.length == bytes.byteCount {
                distance = bytes.withUnsafeBytes { bytes in
                    bytes.indices.count { ring.byte(at: start + $0) != bytes[$0] }
                }
            }
            if distance < least { (closest, least) = ((index, start), distance) }
        }
        return closest
    }

    /// Marks a datagram as returned, and forgets the oldest returned ones.
    private mutating func match(_ index: Int) {
        marks[index].isMatched = true
        while let oldest = marks.first, oldest.isMatched {
            ring.removeFirst(oldest.length)
            marks.removeFirst()
        }
    }

    /// The bytes in the ring with which others are compared.
    private struct Sent {
        var start: Int
        var count: Int
    }

    private mutating func note(offset: UInt64, _ sent: Sent, received bytes: RawSpan, at index: Int) {
        guard isExpected else { return }
        let byte = index < sent.count ? ring.byte(at: sent.start + index) : nil
        let received = index < bytes.byteCount ? bytes.withUnsafeBytes { $0[index] } : nil
        let around = around(index, sent, received: bytes)
        mismatch = .byte(offset: offset, sent: byte, received: received, around: around)
    }

    /// Returns the bytes around an index.
    private func around(_ index: Int, _ sent: Sent, received bytes: RawSpan) -> MismatchBytes {
        var around = MismatchBytes()
        around.lead = min(index, MismatchBytes.half)
        let range = (index - around.lead)..<(index + MismatchBytes.half)
        around.sent = range.clamped(to: 0..<sent.count).compactMap { ring.byte(at: sent.start + $0) }
        around.received = bytes.withUnsafeBytes { Array($0[range.clamped(to: 0..<$0.count)]) }
        return around
    }

    // MARK: - An echo that is expected

    /// Whether as many bytes wait for their echo as the window allows.
    var isFull: Bool { isExpected && mode == .stream && ring.count >= window }

    /// Whether bytes of a stream wait for their echo.
    var isWaiting: Bool { isExpected && mode == .stream && !ring.isEmpty }

    /// Returns the mismatch that the last bytes caused, once.
    mutating func takeMismatch() -> Mismatch? {
        guard mismatch != nil else { return nil }
        defer { mismatch = nil }
        return mismatch
    }

    /// Returns what has not come back, once, and ends the search.
    mutating func takeMissing() -> Mismatch? {
        guard isExpected else { return nil }
        switch mode {
        case .givenUp: return nil
        case .stream:
            guard let first = marks.first, !ring.isEmpty else { return nil }
            defer { giveUp() }
            let around = around(0, Sent(start: 0, count: ring.count), received: RawSpan())
            return .byte(offset: first.offset, sent: ring.byte(at: 0), received: nil, around: around)
        case .datagrams:
            defer { giveUp() }
            let count = unanswered + UInt64(marks.count { !$0.isMatched })
            return count > 0 ? .unanswered(datagrams: count) : nil
        }
    }

    /// The number of upstream bytes that are kept.
    var keptBytes: Int { ring.count }

    /// Ends the search for echoes, and forgets all bytes.
    mutating func giveUp() {
        mode = .givenUp
        ring.removeAll()
        marks = []
    }
}
