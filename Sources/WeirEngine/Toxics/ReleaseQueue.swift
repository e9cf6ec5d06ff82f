import WeirWire

/// The bytes that one direction of a flow is to send, in order: those that the kernel did not take, those that arrived
/// before the server was connected, and those that toxics released.
///
/// A queue of datagrams keeps their boundaries. An empty queue owns no storage. What toxics hold is not here, but in a
/// `HeldQueue`.
struct ReleaseQueue {
    /// One piece: the rest of a chunk, or a whole datagram.
    struct Entry {
        var bytes: [UInt8]
        var taken = 0
        /// The time at which the chunk was read, if its record is still to be made, on release; else nil.
        var receivedAt: Instant?
        /// Whether its arrival has a record of its own, because toxics had it.
        var isTampered = false
        /// The changes that toxics made.
        var changes: [ToxicChange] = []
        /// The sender of a datagram, if it is not the server that was dialed.
        var source: Endpoint?
    }

    private var entries: [Entry] = []
    private var head = 0
    /// The number of bytes in the queue.
    private(set) var count = 0

    var isEmpty: Bool { head == entries.count }

    /// The maximum size of a piece to which bytes of a stream are added.
    private static let pieceSize = 1 << 16
    /// The estimated memory cost of an entry besides its bytes, so that empty datagrams have a price too.
    static let entryCost = 128

    /// The estimated memory cost of the queue, in bytes.
    var cost: Int { count + entryCount * Self.entryCost }

    /// Whether the last entry's record is still to be made: a chunk after it must wait for a record of its own.
    var endsUnrecorded: Bool { !isEmpty && entries[entries.count - 1].receivedAt != nil }

    /// The number of entries: for UDP, of datagrams.
    var entryCount: Int { entries.count - head }

    /// All bytes of the first entry; nil if there is none.
    var firstBytes: [UInt8]? { isEmpty ? nil : entries[head].bytes }

    /// Takes the description of the first entry's chunk, once, to make its record.
    mutating func takeArrival()
        -> (receivedAt: Instant, isTampered: Bool, changes: [ToxicChange], source: Endpoint?)?
    {
        guard !isEmpty, let receivedAt = entries[head].receivedAt else { return nil }
        entries[head].receivedAt = nil
        return (receivedAt, entries[head].isTampered, entries[head].changes, entries[head].source)
    }

    mutating func append(_ bytes: [UInt8], receivedAt: Instant? = nil) {
        entries.append(Entry(bytes: bytes, receivedAt: receivedAt))
        count += bytes.count
    }

    /// Adds a chunk that toxics released; its record is made when it goes on.
    mutating func append(_ chunk: Chunk) {
        let receivedAt = chunk.receivedAt ?? chunk.arrivedAt
        entries.append(
            Entry(
                bytes: chunk.bytes,
                receivedAt: receivedAt,
                isTampered: true,
                changes: chunk.changes,
                source: chunk.source
            )
        )
        count += chunk.bytes.count
    }

    /// Adds bytes of a stream.
    ///
    /// Small ones share a piece, so that single bytes do not cost one each.
    mutating func appendStream(_ bytes: UnsafeRawBufferPointer) {
        let last = entries.count - 1
        if last >= head, entries[last].receivedAt == nil, entries[last].bytes.count + bytes.count <= Self.pieceSize {
            entries[last].bytes.append(contentsOf: bytes)
        } else {
            entries.append(Entry(bytes: Array(bytes)))
        }
        count += bytes.count
    }

    /// Removes and returns the first chunk, if its record is still to be made and no toxic has had it.
    mutating func takeUnrecorded() -> (bytes: [UInt8], receivedAt: Instant)? {
        guard !isEmpty, let receivedAt = entries[head].receivedAt, !entries[head].isTampered else { return nil }
        let bytes = entries[head].bytes
        take(bytes.count)
        return (bytes, receivedAt)
    }

    /// Removes bytes at the front, and every entry that becomes empty.
    ///
    /// Taking 0 bytes removes an empty datagram.
    mutating func take(_ amount: Int) {
        var left = amount
        repeat {
            guard head < entries.count else { break }
            let step = min(left, entries[head].bytes.count - entries[head].taken)
            entries[head].taken += step
            count -= step
            left -= step
            if entries[head].taken == entries[head].bytes.count {
                entries[head].bytes = []
                head += 1
            }
        } while left > 0
        if head == entries.count {
            entries = []
            head = 0
        } else if head >= 64, head * 2 >= entries.count {
            entries.removeSubrange(..<head)
            head = 0
        }
    }

    mutating func removeAll() {
        entries = []
        head = 0
        count = 0
    }

    /// Lends the rest of the first entry.
    func withFirst<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard head < entries.count else { return nil }
        let entry = entries[head]
        return entry.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entry.taken...])) }
    }
}
