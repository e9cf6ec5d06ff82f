import WeirWire

/// Owns the bytes of one read of a stream, or of one datagram, where something holds them back.
public struct Chunk: Hashable, Sendable {
    /// Holds the bytes.
    public var bytes: [UInt8]
    /// Says when they are to go on.
    public var due: Instant
    /// Says when they came to the toxic that is asked.
    public internal(set) var arrivedAt: Instant
    /// Says when they were read; nil takes what the toxic's input says.
    public internal(set) var receivedAt: Instant?
    /// Where a datagram came from, if not from the server that was dialed.
    var source: Endpoint?
    /// Numbers the chunk among those that a `hold` has held.
    var holdNumber: UInt64?
    /// Lists what toxics have changed, with offsets into these bytes.
    public var changes: [ToxicChange] = []

    /// Makes a chunk that goes on at a time.
    public init(bytes: [UInt8], due: Instant) {
        self.bytes = bytes
        self.due = due
        arrivedAt = due
    }

    /// Makes a chunk that was just read.
    init(bytes: [UInt8], receivedAt: Instant) {
        self.bytes = bytes
        due = receivedAt
        arrivedAt = receivedAt
        self.receivedAt = receivedAt
    }

    /// Returns the same chunk with another due time.
    public func due(at due: Instant) -> Chunk {
        var chunk = self
        chunk.due = due
        return chunk
    }

    /// Returns a part of the chunk, with the changes that begin in it.
    public func part(_ range: Range<Int>, due: Instant) -> Chunk {
        var part = Chunk(bytes: Array(bytes[range]), due: due)
        part.arrivedAt = arrivedAt
        part.receivedAt = receivedAt
        part.source = source
        part.changes = changes.compactMap { change in
            guard range.contains(change.offset) || (change.offset >= bytes.count && range.upperBound == bytes.count)
            else { return nil }
            var moved = change
            moved.offset -= range.lowerBound
            return moved
        }
        return part
    }
}

/// Says what a toxic has changed in a chunk.
public struct ToxicChange: Hashable, Sendable {
    /// Lists what can be changed.
    public enum Kind: String, Hashable, Sendable {
        /// Bytes were replaced by others.
        case replaced
        /// Bits were flipped.
        case flipped
        /// The chunk was cut in pieces: this is one of them.
        case sliced
        /// The chunk was cut at its end.
        case cut
        /// The datagram goes on more than once.
        case duplicated
        /// The datagram is held so that later ones overtake it.
        case reordered
    }

    /// Names the toxic.
    public var toxic: String
    /// Says what was done.
    public var kind: Kind
    /// Counts what was changed: bytes that were replaced or cut, bits that were flipped, pieces or copies.
    public var count: Int
    /// Says where the first change is: an offset in the chunk's bytes.
    public var offset: Int

    /// Makes the description of a change; the chain fills the toxic's name in.
    public init(_ kind: Kind, count: Int, offset: Int = 0) {
        toxic = ""
        self.kind = kind
        self.count = count
        self.offset = offset
    }
}
