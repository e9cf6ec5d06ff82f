import WeirWire

/// A binary heap of tokens, ordered by the time at which they are due.
struct TimerHeap {
    struct Entry {
        var due: Instant
        var token: Token
    }

    private var entries: [Entry] = []
    /// The number of entries above which it is worth removing those that no longer have a purpose.
    private var bound = 4096

    /// The time at which the first token is due.
    var firstDue: Instant? { entries.first?.due }

    mutating func insert(_ token: Token, due: Instant) {
        entries.append(Entry(due: due, token: token))
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].due < entries[parent].due else { break }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    /// Whether most of the entries may no longer have a purpose.
    var isCrowded: Bool { entries.count > bound }

    /// Removes the entries that no longer have a purpose: those of an ended flow would stay until they are due.
    ///
    /// - Complexity: O(n log n), amortized to no cost for each insertion, because the bound is twice what is left.
    mutating func thin(_ isNeeded: (Entry) -> Bool) {
        entries = entries.filter(isNeeded).sorted { $0.due < $1.due }
        bound = max(4096, 2 * entries.count)
    }

    /// Removes and returns the first entry, if it is due.
    mutating func popDue(at now: Instant) -> Entry? {
        guard let first = entries.first, first.due <= now else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < entries.count && entries[child].due < entries[least].due {
                least = child
            }
            guard least != index else { return first }
            entries.swapAt(index, least)
            index = least
        }
    }
}

/// The owner of an epoll event or a timer: its kind, its place in a table, and the place's generation, so that an event
/// for a flow that has ended is not mistaken for one of its successor's.
struct Token: Hashable {
    enum Kind: UInt8 {
        case mailbox, tcpListener, opening, client, server, udpListener, session, flowTimer, retryAccept
    }

    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ kind: Kind, place: Int = 0, generation: UInt32 = 0) {
        rawValue = UInt64(kind.rawValue) << 56 | UInt64(generation & 0xFF_FFFF) << 32 | UInt64(UInt32(place))
    }

    var kind: Kind? { Kind(rawValue: UInt8(rawValue >> 56)) }
    var place: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF }
}
