public import WeirWire

/// The bytes of one read of a stream, or of one datagram, copied because something holds them back.
public struct Chunk: Hashable, Sendable {
    /// The bytes of the chunk.
    public var bytes: [UInt8]
    /// The time at which the chunk is to go on.
    public var due: Instant
    /// The time at which the chunk arrived at the toxic that is asked.
    public internal(set) var arrivedAt: Instant
    /// The time at which the bytes were read; nil to take it over from the toxic's input.
    public internal(set) var receivedAt: Instant?
    /// The sender of a datagram, if it is not the server that was dialed.
    var source: Endpoint?
    /// The chunk's number among those that a `hold` has held.
    var holdNumber: UInt64?
    /// The changes that toxics made, with offsets into these bytes.
    public var changes: [ToxicChange] = []

    /// Creates a chunk that goes on at a given time.
    public init(bytes: [UInt8], due: Instant) {
        self.bytes = bytes
        self.due = due
        arrivedAt = due
    }

    /// Creates a chunk that was just read.
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

/// A change that a toxic made to a chunk.
public struct ToxicChange: Hashable, Sendable {
    /// The kinds of changes.
    public enum Kind: String, Hashable, Sendable {
        /// Bytes were replaced by others.
        case replaced
        /// Bits were flipped.
        case flipped
        /// The chunk was cut into pieces, and this is one of them.
        case sliced
        /// The chunk was cut at its end.
        case cut
        /// The datagram goes on more than once.
        case duplicated
        /// The datagram is held so that later ones overtake it.
        case reordered
    }

    /// The name of the toxic.
    public var toxic: String
    /// The kind of the change.
    public var kind: Kind
    /// The amount of change: bytes replaced or cut, bits flipped, pieces or copies.
    public var count: Int
    /// The offset of the first change in the chunk's bytes.
    public var offset: Int
    /// Whether a body has another length now than the Content-Length before it says.
    public var breaksLength = false

    /// Creates the description of a change; the chain fills in the toxic's name.
    public init(_ kind: Kind, count: Int, offset: Int = 0) {
        toxic = ""
        self.kind = kind
        self.count = count
        self.offset = offset
    }
}
