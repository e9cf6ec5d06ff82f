import WeirWire

/// What one toxic holds on one direction of a flow, in the order of due times.
///
/// An empty queue owns no storage.
struct HeldQueue: Sendable {
    /// A chunk, or the end of the direction, with the toxic that ended it, if one did.
    enum Item: Sendable {
        case chunk(Chunk)
        case end(closer: ToxicSet.Entry?)
    }

    private struct Held: Sendable {
        var item: Item
        var due: Instant
    }

    private var entries: [Held] = []
    private var head = 0
    /// The number of bytes in the chunks.
    private(set) var bytes = 0
    /// The number of chunks.
    private(set) var chunks = 0

    var isEmpty: Bool { head == entries.count }

    /// The estimated memory cost of the queue, in bytes; each entry has a price, so that small pieces have one too.
    var cost: Int { bytes + (entries.count - head) * ReleaseQueue.entryCost }

    /// The due time of the first entry; nil if there is none.
    var firstDue: Instant? { isEmpty ? nil : entries[head].due }

    /// The due time of the last entry; nil if there is none.
    var lastDue: Instant? { isEmpty ? nil : entries[entries.count - 1].due }

    /// Inserts an item after those that are due earlier or at the same time.
    mutating func insert(_ item: Item, due: Instant) {
        if case .chunk(let chunk) = item {
            bytes += chunk.bytes.count
            chunks += 1
        }
        var index = entries.count
        while index > head, entries[index - 1].due > due { index -= 1 }
        entries.insert(Held(item: item, due: due), at: index)
    }

    /// Removes and returns the first entry.
    mutating func popFirst() -> (item: Item, due: Instant)? {
        guard !isEmpty else { return nil }
        let first = entries[head]
        entries[head].item = .end(closer: nil)
        head += 1
        if case .chunk(let chunk) = first.item {
            bytes -= chunk.bytes.count
            chunks -= 1
        }
        if head == entries.count {
            entries = []
            head = 0
        } else if head >= 64, head * 2 >= entries.count {
            entries.removeSubrange(..<head)
            head = 0
        }
        return (first.item, first.due)
    }

    /// The held items, in order.
    var all: some Sequence<Item> { entries[head...].lazy.map(\.item) }

    /// Removes and returns all items, in order.
    mutating func takeAll() -> [Item] {
        let items = entries[head...].map(\.item)
        self = HeldQueue()
        return items
    }
}
