import WeirWire

/// The search for several patterns in streams that come in pieces.
///
/// It tells where matches end. The tables are shared by all streams; each stream has a `Progress`.
struct PatternSearch: Sendable {
    /// A match in a stream.
    struct Hit: Hashable, Sendable {
        /// The number of the pattern.
        var pattern: Int
        /// The offset of its first byte; of an expression, of its last one.
        var start: Int
        /// The offset of the byte after it.
        var end: Int
    }

    /// What is known of one direction of a flow.
    struct Progress: Sendable {
        /// The offset of the next byte.
        var offset = 0
        /// The last bytes, one less than the longest needle has.
        fileprivate var tail: [UInt8] = []
        fileprivate var pauses: [ByteAutomaton.Pause?] = []
    }

    private enum Matcher: Sendable {
        case needle(Needle)
        case automaton(ByteAutomaton)
    }

    private var matchers: [Matcher]
    private let overlap: Int

    init(_ patterns: [SearchPattern]) {
        matchers = patterns.map { pattern in
            switch pattern {
            case .bytes(let bytes): .needle(Needle(bytes))
            case .regex(let regex): .automaton(ByteAutomaton(regex.forward, isAnchored: false))
            }
        }
        overlap = patterns.reduce(0) { longest, pattern in
            if case .bytes(let bytes) = pattern { return max(longest, bytes.count - 1) }
            return longest
        }
    }

    /// Whether there is nothing to search for.
    var isEmpty: Bool { matchers.isEmpty }

    /// Searches the next bytes of a stream.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - progress: The stream's progress, which is moved on.
    ///   - receiver: Receives the matches that end in these bytes.
    mutating func add(_ bytes: RawSpan, to progress: inout Progress, _ receiver: (Hit) -> Void) {
        guard bytes.byteCount > 0 else { return }
        if progress.pauses.isEmpty { progress.pauses = Array(repeating: nil, count: matchers.count) }
        for index in matchers.indices {
            switch matchers[index] {
            case .needle(let needle): search(needle, index, bytes, progress, receiver)
            case .automaton: searchOn(index, bytes, &progress, receiver)
            }
        }
        progress.offset += bytes.byteCount
        keepTail(of: bytes, &progress)
    }

    /// Finds what only the end of a stream makes a match.
    mutating func finish(_ progress: inout Progress, _ receiver: (Hit) -> Void) {
        for index in matchers.indices where index < progress.pauses.count {
            guard let pause = progress.pauses[index] else { continue }
            let ends = withAutomaton(index) { automaton in automaton.endsMatch(automaton.resume(pause)) }
            if ends { receiver(Hit(pattern: index, start: max(progress.offset - 1, 0), end: progress.offset)) }
        }
        progress = Progress()
    }

    /// Goes on after bytes that are missing.
    func skip(_ count: Int, _ progress: inout Progress) {
        progress.offset += count
        progress.tail = []
        progress.pauses = []
    }

    private func search(
        _ needle: Needle,
        _ index: Int,
        _ bytes: RawSpan,
        _ progress: Progress,
        _ receiver: (Hit) -> Void
    ) {
        let kept = min(progress.tail.count, needle.count - 1)
        if kept > 0 {
            // What begins before these bytes.
            let joined = Array(progress.tail.suffix(kept)) + bytes.extracting(first: needle.count - 1).copied
            let base = progress.offset - kept
            var at = 0
            while let place = needle.find(in: joined.span.bytes, from: at), place < kept {
                receiver(Hit(pattern: index, start: base + place, end: base + place + needle.count))
                at = place + 1
            }
        }
        var at = 0
        while let place = needle.find(in: bytes, from: at) {
            let start = progress.offset + place
            receiver(Hit(pattern: index, start: start, end: start + needle.count))
            at = place + needle.count
        }
    }

    private mutating func searchOn(
        _ index: Int,
        _ bytes: RawSpan,
        _ progress: inout Progress,
        _ receiver: (Hit) -> Void
    ) {
        let (pause, offset) = (progress.pauses[index], progress.offset)
        progress.pauses[index] = withAutomaton(index) { automaton in
            // After bytes that are missing nothing is known of the one before.
            var cursor = pause.map { automaton.resume($0) } ?? automaton.start(after: offset == 0 ? nil : 0)
            var at = 0
            while let end = automaton.find(bytes, at: &at, &cursor) {
                receiver(Hit(pattern: index, start: offset + end - 1, end: offset + end))
            }
            return automaton.pause(cursor)
        }
    }

    private mutating func withAutomaton<Result>(_ index: Int, _ body: (inout ByteAutomaton) -> Result?) -> Result? {
        guard case .automaton(var automaton) = matchers[index] else { return nil }
        // The table is not copied while it is nobody else's.
        matchers[index] = .needle(Self.placeholder)
        defer { matchers[index] = .automaton(automaton) }
        return body(&automaton)
    }

    private mutating func withAutomaton(_ index: Int, _ body: (inout ByteAutomaton) -> Bool) -> Bool {
        withAutomaton(index) { automaton in Optional(body(&automaton)) } ?? false
    }

    private static let placeholder = Needle([0])

    private func keepTail(of bytes: RawSpan, _ progress: inout Progress) {
        guard overlap > 0 else { return }
        if bytes.byteCount >= overlap {
            progress.tail = bytes.extracting(last: overlap).copied
        } else {
            progress.tail = Array((progress.tail + bytes.copied).suffix(overlap))
        }
    }
}

extension RawSpan {
    /// A copy of the bytes.
    var copied: [UInt8] { withUnsafeBytes { Array($0) } }
}
