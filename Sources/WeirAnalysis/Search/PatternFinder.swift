import WeirWire

/// A finder of a pattern's matches in bytes, from the left: of those that begin at one place the longest, none within another.
struct PatternFinder: Sendable {
    /// The result of a search in bytes that may go on.
    enum Found: Hashable, Sendable {
        /// A match.
        case match(Range<Int>)
        /// No match, but one may begin here, or later, with the bytes that follow.
        case none(Int)
    }

    /// The maximum length of an expression's match, in bytes.
    static let longest = 4096

    private enum Matcher: Sendable {
        case needle(Needle)
        case regex(Automata)
    }

    private var matcher: Matcher
    private static let placeholder = Matcher.needle(Needle([0]))

    init(_ pattern: SearchPattern) {
        switch pattern {
        case .bytes(let bytes): matcher = .needle(Needle(bytes))
        case .regex(let regex): matcher = .regex(Automata(regex))
        }
    }

    /// Finds the next match.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - start: The place from which on a match may begin.
    ///   - isStart: Whether the bytes begin a stream or a datagram.
    ///   - isEnd: Whether no more bytes follow.
    /// - Returns: The match; or the place from which on one may begin with what follows.
    mutating func find(in bytes: RawSpan, from start: Int, isStart: Bool, isEnd: Bool) -> Found {
        switch matcher {
        case .needle(let needle):
            if let place = needle.find(in: bytes, from: start) { return .match(place..<(place + needle.count)) }
            return .none(isEnd ? bytes.byteCount : max(start, bytes.byteCount - needle.count + 1))
        case .regex(var automata):
            // The tables are not copied while they are nobody else's.
            matcher = Self.placeholder
            defer { matcher = .regex(automata) }
            return automata.find(in: bytes, from: start, isStart, isEnd)
        }
    }
}

/// The automata of an expression: one finds where a match ends, one where it begins, one how long it gets.
private struct Automata: Sendable {
    private var forward: ByteAutomaton
    private var backward: ByteAutomaton
    private var whole: ByteAutomaton

    init(_ regex: ByteRegex) {
        forward = ByteAutomaton(regex.forward, isAnchored: false)
        backward = ByteAutomaton(regex.backward, isAnchored: true)
        whole = ByteAutomaton(regex.forward, isAnchored: true)
    }

    mutating func find(in bytes: RawSpan, from start: Int, _ isStart: Bool, _ isEnd: Bool) -> PatternFinder.Found {
        var (at, cursor) = (start, forward.start(after: bytes.previous(start, isStart)))
        var end = forward.find(bytes, at: &at, &cursor)
        if end == nil, isEnd, forward.endsMatch(cursor) { end = bytes.byteCount }
        guard let end else {
            guard !isEnd, !forward.isIdle(cursor) else { return .none(bytes.byteCount) }
            return .none(max(start, bytes.byteCount - PatternFinder.longest))
        }
        let first = beginning(of: end, in: bytes, notBefore: start, isStart, isEnd)
        guard let last = longest(from: first, end, in: bytes, isStart, isEnd) else { return .none(first) }
        return .match(first..<last)
    }

    /// Returns where the longest match begins that ends at a place.
    private mutating func beginning(
        of end: Int,
        in bytes: RawSpan,
        notBefore start: Int,
        _ isStart: Bool,
        _ isEnd: Bool
    ) -> Int {
        let next = end < bytes.byteCount ? bytes.unsafeLoad(fromByteOffset: end, as: UInt8.self) : isEnd ? nil : 0
        var (first, cursor, at) = (end - 1, backward.start(after: next), end)
        while at > start, !backward.isDead(cursor) {
            let step = backward.read(bytes.unsafeLoad(fromByteOffset: at - 1, as: UInt8.self), &cursor)
            if step.before, at < end { first = at }
            at -= 1
            if step.with { first = at }
        }
        guard at == start, !backward.isDead(cursor) else { return first }
        // Whether a line or a word begins there depends on the byte before.
        if let previous = bytes.previous(start, isStart) {
            if backward.read(previous, &cursor).before { first = start }
        } else if backward.endsMatch(cursor) {
            first = start
        }
        return first
    }

    /// Returns where the longest match ends that begins at a place; nil if what follows may make it longer.
    private mutating func longest(
        from first: Int,
        _ end: Int,
        in bytes: RawSpan,
        _ isStart: Bool,
        _ isEnd: Bool
    ) -> Int? {
        var (last, cursor, at) = (end, whole.start(after: bytes.previous(first, isStart)), first)
        while at < bytes.byteCount, at - first < PatternFinder.longest {
            let step = whole.read(bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self), &cursor)
            if step.before, at > first { last = max(last, at) }
            at += 1
            if step.with { last = max(last, at) }
            if whole.isDead(cursor) { return last }
        }
        guard at == bytes.byteCount else { return last }
        guard isEnd else { return at - first < PatternFinder.longest ? nil : last }
        return whole.endsMatch(cursor) ? at : last
    }
}

extension RawSpan {
    /// Returns the byte before a place; nil at the beginning of a stream, and 0 if it is not known.
    fileprivate func previous(_ place: Int, _ isStart: Bool) -> UInt8? {
        place > 0 ? unsafeLoad(fromByteOffset: place - 1, as: UInt8.self) : isStart ? nil : 0
    }
}
