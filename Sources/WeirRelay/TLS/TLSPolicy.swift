#if TLS
import WeirEngine
import WeirTLS
import WeirWire

/// Which flows are decrypted, by their names.
struct TLSPolicy: Sendable {
    private let only: [NamePattern]
    private let excepted: [NamePattern]

    /// Reads the patterns: `example.com` or `*.example.com`.
    init(only: [String], excepted: [String]) throws(TLSSetupError) {
        self.only = try Self.patterns(only)
        self.excepted = try Self.patterns(excepted)
    }

    private static func patterns(_ texts: [String]) throws(TLSSetupError) -> [NamePattern] {
        var patterns: [NamePattern] = []
        for text in texts {
            let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
            guard HostPort.isName(name) || IPAddress(text) != nil, let pattern = NamePattern(text[...]) else {
                throw TLSSetupError(
                    "'\(text)' is no name: write example.com, *.example.com or an address, without a port"
                )
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// Returns why a flow to a name is not decrypted; nil if it is.
    func reason(for name: String) -> BypassRecord.Reason? {
        if let pattern = excepted.first(where: { $0.matches(name.utf8) }) {
            return .excepted(pattern: "\(pattern)")
        }
        guard !only.isEmpty, !only.contains(where: { $0.matches(name.utf8) }) else { return nil }
        return .notListed
    }
}

/// How often clients have refused the certificates for names: those that pin another one refuse each time.
struct PinMemory: Sendable {
    /// A client and a name.
    struct Pair: Hashable, Sendable {
        var client: IPAddress
        var name: String
    }

    private struct Entry {
        var refusals: Int
        var until: Instant
    }

    /// The number of refusals in a row after which a client is known to pin.
    static let enough = 2
    /// How long a client's refusals are remembered.
    private static let lifetime = Duration.seconds(3600)
    private static let kept = 1000

    private var entries: [Pair: Entry] = [:]

    /// Notes that a client has refused a certificate.
    mutating func noteRefusal(_ pair: Pair, at now: Instant) {
        if entries.count >= Self.kept, let oldest = entries.min(by: { $0.value.until < $1.value.until }) {
            entries[oldest.key] = nil
        }
        let before = entries[pair].flatMap { $0.until > now ? $0.refusals : nil } ?? 0
        entries[pair] = Entry(refusals: before + 1, until: now.advanced(by: Self.lifetime))
    }

    /// Notes that a client has taken a certificate.
    mutating func noteTrust(_ pair: Pair) { entries[pair] = nil }

    /// Returns how often a client that pins has refused a name's certificate; nil for one that does not seem to pin.
    func refusals(_ pair: Pair, at now: Instant) -> Int? {
        guard let entry = entries[pair], entry.until > now, entry.refusals >= Self.enough else { return nil }
        return entry.refusals
    }
}
#endif
