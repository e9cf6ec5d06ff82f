import WeirWire

/// A toxic that replaces a pattern of bytes by another one, longer or shorter, even if the pattern spans several reads.
///
/// In a stream, the end of a chunk that may begin the pattern waits for the next bytes, but only for a short time: a
/// peer that answers only a whole message must not wait forever. Each datagram is searched alone.
struct ReplaceToxic: Toxic {
    static let type = ToxicType(
        "replace",
        "Replaces a pattern of bytes by another one, also where reads have cut it.",
        [
            .text("find", "the bytes that are looked for: text with escapes as \\n and \\x00, or hex:48656c6c6f"),
            .text("with", "the bytes that take their place, written the same way; nothing removes them"),
            .integer("wait", "ms", default: 100, "how long the beginning of the pattern waits for its rest"),
        ]
    ) { (settings) throws(ToxicError) in
        guard let find = BytePattern(settings.text("find")) else { throw settings.error("find", Self.notAPattern) }
        guard let with = BytePattern(settings.text("with")) else { throw settings.error("with", Self.notAPattern) }
        guard !find.bytes.isEmpty else { throw settings.error("find", "cannot be empty") }
        guard find.bytes.count <= 65_535 else { throw settings.error("find", "takes at most 65535 bytes") }
        guard with.bytes.count <= 1024 * find.bytes.count else {
            throw settings.error("with", "is at most 1024 times as long as find: a peer could fill the memory")
        }
        return ReplaceToxic(
            find: find.bytes,
            with: with.bytes,
            wait: settings.transport == .tcp ? settings.milliseconds("wait") : nil
        )
    }

    private static let notAPattern =
        "is neither a text with the escapes \\n, \\r, \\t, \\0, \\\\ and \\xHH nor hex: with pairs of digits"

    let find: [UInt8]
    let with: [UInt8]
    /// The time that the beginning of the pattern waits for its rest; nil for datagrams, which do not wait.
    let wait: Duration?
    /// The failure function: for each prefix of the pattern, the length of its longest proper prefix that is also its
    /// suffix.
    ///
    /// Source: Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", SIAM Journal on Computing 6, 1977, section 2.
    private let shorter: [Int]
    /// The number of the pattern's first bytes with which the last chunk ended; these bytes are kept.
    private var matched = 0
    private var keptSince: Instant?
    /// Nil if a replacement changes no length, and for datagrams.
    private var watch: ContentLengthWatch?

    init(find: [UInt8], with: [UInt8], wait: Duration?) {
        self.find = find
        self.with = with
        self.wait = wait
        var shorter = [Int](repeating: 0, count: find.count + 1)
        var length = 0
        for index in 1..<max(1, find.count) {
            while length > 0, find[index] != find[length] { length = shorter[length] }
            if find[index] == find[length] { length += 1 }
            shorter[index + 1] = length
        }
        self.shorter = shorter
        if wait != nil, find.count != with.count { watch = ContentLengthWatch() }
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .added: return Verdict()
        case .chunk(let chunk): return replace(chunk, now)
        case .end, .wake, .removed: return Verdict(kept(now))
        }
    }

    /// Returns and clears the kept bytes.
    private mutating func kept(_ now: Instant) -> [Chunk] {
        guard matched > 0 else { return [] }
        var chunk = Chunk(bytes: Array(find[..<matched]), due: now)
        chunk.receivedAt = keptSince
        matched = 0
        keptSince = nil
        return [chunk]
    }

    private mutating func replace(_ chunk: Chunk, _ now: Instant) -> Verdict {
        var result: [UInt8] = []
        result.reserveCapacity(chunk.bytes.count + matched)
        var found: (count: Int, first: Int) = (0, 0)
        var breaksLength = false
        for byte in chunk.bytes {
            let isInBody = watch?.take(byte) ?? false
            while matched > 0, byte != find[matched] {
                // The first of the kept bytes cannot begin the pattern any more.
                result += find[..<(matched - shorter[matched])]
                matched = shorter[matched]
            }
            guard byte == find[matched] else {
                result.append(byte)
                continue
            }
            matched += 1
            guard matched == find.count else { continue }
            if found.count == 0 { found.first = result.count }
            found.count += 1
            breaksLength = breaksLength || isInBody
            result += with
            matched = 0
        }
        if wait == nil {
            result += find[..<matched]
            matched = 0
        }
        var changed = chunk
        changed.bytes = result
        if found.count > 0 {
            var change = ToxicChange(.replaced, count: found.count * find.count, offset: found.first)
            change.breaksLength = breaksLength
            changed.changes.append(change)
        }
        return verdict(changed, now)
    }

    /// Makes the verdict on a chunk, from whose end the kept bytes are already removed.
    private mutating func verdict(_ chunk: Chunk, _ now: Instant) -> Verdict {
        guard matched > 0, let wait else {
            keptSince = nil
            return Verdict([chunk])
        }
        keptSince = chunk.receivedAt
        let chunks = chunk.bytes.isEmpty && chunk.changes.isEmpty ? [] : [chunk]
        return Verdict(chunks, then: .wake(at: now.advanced(by: wait)))
    }
}
