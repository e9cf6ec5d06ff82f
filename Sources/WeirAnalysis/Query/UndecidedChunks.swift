import WeirWire

/// The chunks of a live flow that may begin messages, until that is known.
///
/// `Item` is what a view keeps of a chunk.
struct UndecidedChunks<Item: Sendable>: Sendable {
    /// A chunk that may begin a message.
    struct Chunk: Sendable {
        var item: Item
        /// The cost of the item, in bytes.
        var cost: Int
        /// The patterns of which a match ends in it.
        var found: UInt64
    }

    private var chunks: [[Chunk]] = [[], []]
    /// Whether it is not known of the next chunk, in both directions.
    private var marks = [false, false]
    private var cost = 0
    /// The maximum cost of the chunks, in bytes.
    private static var limit: Int { 512 << 10 }

    /// Notes that it is not known of the next chunk of a direction whether it begins a message.
    mutating func mark(_ direction: Direction) { marks[Int(direction.rawValue)] = true }

    /// Returns whether the next chunk of a direction was marked, and removes the mark.
    mutating func takeMark(_ direction: Direction) -> Bool {
        let mark = marks[Int(direction.rawValue)]
        if mark { marks[Int(direction.rawValue)] = false }
        return mark
    }

    /// Keeps a chunk; returns false if there is no room for it.
    mutating func append(_ item: Item, _ direction: Direction, cost itemCost: Int, found: UInt64) -> Bool {
        guard cost + itemCost <= Self.limit else { return false }
        chunks[Int(direction.rawValue)].append(Chunk(item: item, cost: itemCost, found: found))
        cost += itemCost
        return true
    }

    /// Removes the chunks of a direction, and returns them.
    mutating func take(_ direction: Direction) -> [Chunk] {
        let side = Int(direction.rawValue)
        guard !chunks[side].isEmpty else { return [] }
        let taken = chunks[side]
        chunks[side] = []
        cost -= taken.reduce(0) { $0 + $1.cost }
        return taken
    }
}
