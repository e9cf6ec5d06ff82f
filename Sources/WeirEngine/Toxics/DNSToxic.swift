import WeirWire

/// A toxic that gives a host other addresses, in the DNS answers about it.
///
/// Each datagram is a message. In a stream, where messages have a length before them, the beginning of one waits for
/// its rest, but only for a short time.
struct DNSToxic: Toxic {
    static let type = ToxicType(
        "dns",
        "Gives a host other addresses, in the DNS answers about it.",
        [
            .text("host", "the name, or *.example.com for all names that end so"),
            .text("address", "its IPv4 or IPv6 address; several have blanks between them"),
            .integer("ttl", "s", default: 10, in: 0...86_400, "how long the answer may be kept"),
        ]
    ) { (settings) throws(ToxicError) in
        var addresses: [IPAddress] = []
        for text in settings.text("address").split(whereSeparator: { $0 == " " || $0 == "," }) {
            guard let address = IPAddress(text), address.scope == 0 else {
                throw settings.error("address", "takes IPv4 and IPv6 addresses without zones, not '\(text)'")
            }
            addresses.append(address)
        }
        guard !addresses.isEmpty else { throw settings.error("address", "cannot be empty") }
        guard addresses.count <= DNSMap.mostAddresses else {
            throw settings.error("address", "takes at most \(DNSMap.mostAddresses) addresses")
        }
        let (host, time) = (settings.text("host"), UInt32(settings.integer("ttl")))
        guard let map = DNSMap(host: host, addresses: addresses, timeToLive: time) else {
            throw settings.error("host", "takes a name as example.com or *.example.com, not '\(host)'")
        }
        return DNSToxic(map: map, isStream: settings.transport == .tcp)
    }

    /// The time that the beginning of a message in a stream waits for its rest.
    private static let wait = Duration.seconds(1)

    let map: DNSMap
    let isStream: Bool
    /// The beginning of a message, with its length.
    private var kept: [UInt8] = []
    private var keptSince: (arrival: Instant, reading: Instant?)?
    /// The number of bytes that pass, as the beginning of their message has passed; nil if it is not known where one
    /// begins.
    private var passing: Int? = 0

    init(map: DNSMap, isStream: Bool) { (self.map, self.isStream) = (map, isStream) }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        switch input {
        case .added: return Verdict()
        case .chunk(let chunk) where isStream: return replace(inStream: chunk, now)
        case .chunk(let chunk):
            var changed = chunk
            if let answer = map.answer(replacing: chunk.bytes) {
                changed.bytes = answer
                changed.changes += [Self.change(from: chunk.bytes, to: answer, at: 0)].compactMap(\.self)
            }
            return Verdict([changed])
        case .end, .wake, .removed: return Verdict(pass(now))
        }
    }

    /// Takes over where the next message begins, once the previous toxic has let go what it keeps.
    mutating func adopt(_ previous: any Toxic) {
        if let previous = previous as? DNSToxic { passing = previous.passingAfterKept }
    }

    /// The value of `passing` after the kept bytes have passed.
    private var passingAfterKept: Int? {
        if kept.isEmpty { return passing }
        return kept.count < 2 ? nil : 2 + Self.length(kept[...]) - kept.count
    }

    /// Returns and clears the kept bytes; the rest of their message will pass.
    private mutating func pass(_ now: Instant) -> [Chunk] {
        guard !kept.isEmpty else { return [] }
        var chunk = Chunk(bytes: kept, due: now)
        chunk.receivedAt = keptSince?.reading
        passing = passingAfterKept
        (kept, keptSince) = ([], nil)
        return [chunk]
    }

    /// Returns the length that stands before a message.
    private static func length(_ bytes: ArraySlice<UInt8>) -> Int {
        Int(bytes[bytes.startIndex]) << 8 | Int(bytes[bytes.startIndex + 1])
    }

    private mutating func replace(inStream chunk: Chunk, _ now: Instant) -> Verdict {
        let bytes = kept + chunk.bytes
        var rest = bytes[...]
        var changed = chunk
        for index in changed.changes.indices { changed.changes[index].offset += kept.count }
        let ahead = rest.prefix(passing ?? rest.count)
        if let count = passing { passing = count - ahead.count }
        changed.bytes = Array(ahead)
        rest = rest.dropFirst(ahead.count)
        while rest.count >= 2, rest.count >= 2 + Self.length(rest) {
            let message = rest.prefix(2 + Self.length(rest))
            rest = rest.dropFirst(message.count)
            guard let answer = map.answer(replacing: Array(message.dropFirst(2))) else {
                changed.bytes += message
                continue
            }
            let whole = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
            changed.changes += [Self.change(from: Array(message), to: whole, at: changed.bytes.count)].compactMap(
                \.self
            )
            changed.bytes += whole
        }
        // What a longer wait began with is gone if this chunk has ended it.
        if rest.isEmpty || rest.count <= chunk.bytes.count { keptSince = rest.isEmpty ? nil : (now, chunk.receivedAt) }
        kept = Array(rest)
        let chunks = changed.bytes.isEmpty && changed.changes.isEmpty ? [] : [changed]
        guard let since = keptSince else { return Verdict(chunks) }
        return Verdict(chunks, then: .wake(at: since.arrival.advanced(by: Self.wait)))
    }

    /// Returns which bytes a message has in place of others; nil if it is the same.
    private static func change(from old: [UInt8], to new: [UInt8], at start: Int) -> ToxicChange? {
        guard old != new else { return nil }
        let same = zip(old, new).prefix { $0 == $1 }.count
        let most = min(old.count, new.count) - same
        let sameEnd = zip(old.reversed(), new.reversed()).prefix { $0 == $1 }.count
        return ToxicChange(.replaced, count: old.count - same - min(sameEnd, most), offset: start + same)
    }
}
