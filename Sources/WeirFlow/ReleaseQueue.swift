import WeirWire

/// Keeps what one direction of a flow is to send, in order: what the kernel did not take, what came before there was a
/// server, and what toxics have let go.
///
/// A datagram's queue keeps the datagrams' boundaries. An empty queue owns no storage. What is held for a time is not
/// here, but in its toxic's `HeldQueue`.
struct ReleaseQueue {
    /// One piece: what is left of a chunk, or a whole datagram.
    struct Entry {
        var bytes: [UInt8]
        var taken = 0
        /// Says when the chunk was read, where its record is still to be made: when it is released.
        var receivedAt: Instant?
        /// Says that its arrival has a record of its own: toxics had it.
        var isTampered = false
        /// Lists what toxics have changed.
        var changes: [ToxicChange] = []
        /// Where a datagram came from, if not from the server that was dialed.
        var source: Endpoint?
    }

    private var entries: [Entry] = []
    private var head = 0
    /// Counts the bytes in the queue.
    private(set) var count = 0

    var isEmpty: Bool { head == entries.count }

    /// Bounds a piece that a stream's bytes are added to.
    private static let pieceSize = 1 << 16
    /// Estimates what an entry costs beside its bytes, so that empty datagrams have a price too.
    static let entryCost = 128

    /// Estimates what the queue costs in memory, in bytes.
    var cost: Int { count + entryCount * Self.entryCost }

    /// Says that the last entry's record is still to be made: what comes behind it must wait for its own.
    var endsUnrecorded: Bool { !isEmpty && entries[entries.count - 1].receivedAt != nil }

    /// Counts the entries: with datagrams, the datagrams.
    var entryCount: Int { entries.count - head }

    /// Holds the whole of the first entry.
    var firstBytes: [UInt8]? { isEmpty ? nil : entries[head].bytes }

    /// Takes what is known about the first entry's chunk, once: its record is made then.
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

    /// Adds a chunk that toxics have let go; its record is made when it goes on.
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
    /// Small ones share a piece: a byte at a time costs no piece each.
    mutating func appendStream(_ bytes: UnsafeRawBufferPointer) {
        let last = entries.count - 1
        if last >= head, entries[last].receivedAt == nil, entries[last].bytes.count + bytes.count <= Self.pieceSize {
            entries[last].bytes.append(contentsOf: bytes)
        } else {
            entries.append(Entry(bytes: Array(bytes)))
        }
        count += bytes.count
    }

    /// Takes the first chunk, if its record is still to be made and no toxic has had it.
    mutating func takeUnrecorded() -> (bytes: [UInt8], receivedAt: Instant)? {
        guard !isEmpty, let receivedAt = entries[head].receivedAt, !entries[head].isTampered else { return nil }
        let bytes = entries[head].bytes
        take(bytes.count)
        return (bytes, receivedAt)
    }

    /// Takes bytes off the front; an entry that is empty then is gone.
    ///
    /// An empty datagram goes when 0 bytes are taken.
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
