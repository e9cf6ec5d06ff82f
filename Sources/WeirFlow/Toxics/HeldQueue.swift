/// Keeps what one toxic holds on one direction of a flow, by due time.
///
/// An empty queue owns no storage.
struct HeldQueue: Sendable {
    /// Is a chunk, or the end of the direction, which a toxic may have made.
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
    /// Counts the bytes of the chunks.
    private(set) var bytes = 0
    /// Counts the chunks.
    private(set) var chunks = 0

    var isEmpty: Bool { head == entries.count }

    /// Estimates what the queue costs, in bytes: small pieces have a price too.
    var cost: Int { bytes + (entries.count - head) * ReleaseQueue.entryCost }

    /// Says when the first entry is due.
    var firstDue: Instant? { isEmpty ? nil : entries[head].due }

    /// Says when the last entry is due.
    var lastDue: Instant? { isEmpty ? nil : entries[entries.count - 1].due }

    /// Adds an item behind those that are due before it, or at the same time.
    mutating func insert(_ item: Item, due: Instant) {
        if case .chunk(let chunk) = item {
            bytes += chunk.bytes.count
            chunks += 1
        }
        var index = entries.count
        while index > head, entries[index - 1].due > due { index -= 1 }
        entries.insert(Held(item: item, due: due), at: index)
    }

    /// Takes the first entry.
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

    /// Lists what is held, in order.
    var all: some Sequence<Item> { entries[head...].lazy.map(\.item) }

    /// Takes everything, in order.
    mutating func takeAll() -> [Item] {
        let items = entries[head...].map(\.item)
        self = HeldQueue()
        return items
    }
}
