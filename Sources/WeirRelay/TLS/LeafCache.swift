#if TLS
import WeirTLS

/// What a certificate for clients depends on.
struct LeafKey: Hashable, Sendable {
    /// The names and addresses.
    var names: [AlternativeName]
    /// Whether its key is one of RSA.
    var isRSA: Bool
}

/// The certificates for clients that were made, each until half of its life is over; those that were used last are kept.
struct LeafCache<Leaf> {
    private struct Entry {
        var leaf: Leaf
        var renewal: Int
        var used: UInt64
    }

    /// The maximum number of certificates.
    static var limit: Int { 1000 }

    private var entries: [LeafKey: Entry] = [:]
    private var uses: UInt64 = 0

    var count: Int { entries.count }

    /// Returns a certificate that need not be made anew yet, at a time in seconds since 1970.
    mutating func find(_ key: LeafKey, at now: Int) -> Leaf? {
        guard let entry = entries[key], entry.renewal > now else { return nil }
        uses += 1
        entries[key]?.used = uses
        return entry.leaf
    }

    /// Keeps a certificate until it is to be made anew.
    mutating func keep(_ leaf: Leaf, _ key: LeafKey, until renewal: Int) {
        if entries.count >= Self.limit, let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            entries[oldest.key] = nil
        }
        uses += 1
        entries[key] = Entry(leaf: leaf, renewal: renewal, used: uses)
    }
}
#endif
