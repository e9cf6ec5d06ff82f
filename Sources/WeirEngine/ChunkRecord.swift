public import WeirWire

/// One chunk of one direction: the bytes of one read of a stream, or one datagram.
///
/// It has 40 bytes, with room in the last two for the case of `FlowRecord.Happening`: what most chunks do not have is
/// behind a reference.
public struct ChunkRecord: Hashable, Sendable {
    /// The time at which the chunk was read; the record's own time is when it went on.
    public var receivedAt: Instant
    /// The number of bytes in the direction before this chunk.
    public var offset: UInt64
    private var rare: Rare?
    private var storedLength: UInt32
    private var storedBytesOffset = UInt32.max
    private var numberLow: UInt32
    private var numberHigh: UInt16
    /// The direction of the chunk.
    public var direction: Direction
    /// Whether toxics had the chunk: its arrival has a `received` record.
    public var isTampered = false

    /// What most chunks do not have.
    private final class Rare: Hashable, Sendable {
        struct Values: Hashable {
            var echo: Echo?
            var peer: Endpoint?
            var changes: [ToxicChange] = []
            var parts: [Range<Int>] = []
        }

        let values: Values

        init(_ values: Values) { self.values = values }

        static func == (left: Rare, right: Rare) -> Bool { left === right || left.values == right.values }

        func hash(into hasher: inout Hasher) { hasher.combine(values) }
    }

    /// The number of the chunk in its direction, from 0, below 2^48.
    public var number: UInt64 { UInt64(numberHigh) << 32 | UInt64(numberLow) }
    /// The length of the chunk, in bytes.
    public var length: Int { Int(storedLength) }

    /// The upstream bytes that this downstream chunk repeats, if it is an echo.
    public var echo: Echo? {
        get { rare?.values.echo }
        set { if newValue != echo { change { $0.echo = newValue } } }
    }

    /// The endpoint on the server's side that sent this datagram or gets it, if it is not the server that was dialed.
    public var peer: Endpoint? {
        get { rare?.values.peer }
        set { if newValue != peer { change { $0.peer = newValue } } }
    }

    /// The changes that toxics made, with offsets into the chunk.
    public var changes: [ToxicChange] {
        get { rare?.values.changes ?? [] }
        set { if newValue != changes { change { $0.changes = newValue } } }
    }

    /// The ranges of the chunk whose bytes the batch keeps: those that dissectors read, or none if it keeps all bytes.
    public var parts: [Range<Int>] {
        get { rare?.values.parts ?? [] }
        set { if newValue != parts { change { $0.parts = newValue } } }
    }

    private mutating func change(_ body: (inout Rare.Values) -> Void) {
        var values = rare?.values ?? Rare.Values()
        body(&values)
        rare = values == Rare.Values() ? nil : Rare(values)
    }

    /// The offset of the bytes in `RecordBatch.bytes`, below 4 GiB; nil if no sink wants bytes.
    public var bytesOffset: Int? {
        get { storedBytesOffset == .max ? nil : Int(storedBytesOffset) }
        set { storedBytesOffset = newValue.map { UInt32($0) } ?? .max }
    }

    /// The number of bytes that the batch keeps.
    public var keptBytes: Int {
        guard bytesOffset != nil else { return 0 }
        return parts.isEmpty ? length : parts.reduce(0) { $0 + $1.count }
    }

    /// Creates the description of a chunk.
    public init(
        direction: Direction,
        number: UInt64,
        offset: UInt64,
        length: Int,
        receivedAt: Instant,
        echo: Echo? = nil,
        bytesOffset: Int? = nil
    ) {
        self.direction = direction
        numberLow = UInt32(truncatingIfNeeded: number)
        numberHigh = UInt16(truncatingIfNeeded: number >> 32)
        self.offset = offset
        storedLength = UInt32(clamping: length)
        self.receivedAt = receivedAt
        self.bytesOffset = bytesOffset
        if echo != nil { self.echo = echo }
    }
}
