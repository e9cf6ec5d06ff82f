public import WeirWire

/// The records of one turn of an event loop, with the bytes of their chunks, shared by all sinks.
public struct RecordBatch: Sendable {
    /// The records in the order in which they happened.
    public private(set) var records: [FlowRecord] = []
    /// The chunks' bytes end to end; each record has the offset of its own.
    public var bytes: [UInt8] { lent?.bytes ?? own }

    private var own: [UInt8] = []
    /// The lent memory with the bytes, after they outgrow `ownLimit`.
    private var lent: LentBytes?
    private let memory: (any BatchMemory)?
    /// The maximum number of bytes without lent memory: so few are quickly copied, and most batches have no more.
    private static let ownLimit = 64 << 10

    /// Makes an empty batch.
    ///
    /// - Parameter memory: the lender of memory for many bytes; nil if that is not worth the trouble.
    public init(memory: (any BatchMemory)? = nil) {
        self.memory = memory
    }

    /// Whether the batch has no records.
    public var isEmpty: Bool { records.isEmpty }

    /// The size of the contents, in bytes: the records and the chunks' bytes.
    public var size: Int { records.count * Self.recordSize + byteCount }

    /// The memory in use, in bytes, including unused capacity.
    public var cost: Int {
        records.capacity * Self.recordSize + (lent?.bytes.capacity ?? own.capacity) + partCount * Self.partSize
    }

    private static let recordSize = MemoryLayout<FlowRecord>.stride
    private static let partSize = MemoryLayout<Range<Int>>.stride
    private var partCount = 0

    private var byteCount: Int { lent?.bytes.count ?? own.count }

    /// Adds a record.
    public mutating func append(_ record: FlowRecord) {
        records.append(record)
    }

    /// Adds a record, copies its chunk's bytes, and notes their offset in the record.
    ///
    /// - Parameters:
    ///   - record: what happened.
    ///   - chunk: the chunk's bytes.
    ///   - parts: the ranges to copy, in order; nil for all.
    public mutating func append(_ record: FlowRecord, bytes chunk: RawSpan, parts: [Range<Int>]? = nil) {
        guard var detail = record.happening.chunk, parts?.isEmpty != true else { return append(record) }
        detail.bytesOffset = byteCount
        if let parts {
            detail.parts = parts
            partCount += parts.count
            for part in parts { add(chunk.extracting(part)) }
        } else {
            add(chunk)
        }
        var placed = record
        if case .received = record.happening {
            placed.happening = .received(detail)
        } else {
            placed.happening = .forwarded(detail)
        }
        records.append(placed)
    }

    /// Adds a record of what was on the wire, and copies its bytes.
    public mutating func append(_ wire: WireRecord, of subject: FlowSubject, at moment: Moment, bytes: RawSpan) {
        var placed = wire
        if case .bytes(var description) = wire {
            description.bytesOffset = byteCount
            placed = .bytes(description)
            add(bytes)
        }
        records.append(FlowRecord(of: subject, moment: moment, happening: .wire(placed)))
    }

    private mutating func add(_ chunk: RawSpan) {
        if lent == nil, let memory, own.count + chunk.byteCount > Self.ownLimit {
            lent = LentBytes(own, from: memory)
            own = []
        }
        if lent != nil, !isKnownUniquelyReferenced(&lent) {
            own = bytes
            lent = nil
        }
        chunk.withUnsafeBytes { chunk in
            if let lent { lent.bytes.append(contentsOf: chunk) } else { own.append(contentsOf: chunk) }
        }
    }

    /// Returns a part of the batch without its chunks, for those who have fallen behind, and the amount left out.
    ///
    /// - Parameters:
    ///   - range: the records; nil for all.
    ///   - keepsWire: whether secrets and ends on the wire are kept; their bytes go with the chunks that they carry.
    /// - Returns: the rest, and the number of chunks.
    public func withoutChunks(
        _ range: Range<Int>? = nil,
        keepsWire: Bool = false
    ) -> (batch: RecordBatch, lost: LostChunks) {
        var (rest, lost) = (RecordBatch(), LostChunks())
        for record in records[range ?? 0..<records.count] {
            switch record.happening {
            case .forwarded(let chunk): lost.add(LostChunks(chunks: 1, bytes: UInt64(chunk.length)))
            // Its bytes count when they go on.
            case .received, .wire(.bytes): break
            case .wire where !keepsWire: break
            default: rest.records.append(record)
            }
        }
        return (rest, lost)
    }
}

/// The amount of chunks that were left out of an output.
public struct LostChunks: Hashable, Sendable {
    /// The number of chunks.
    public var chunks: UInt64
    /// Their length in bytes.
    public var bytes: UInt64

    /// Creates an amount.
    public init(chunks: UInt64 = 0, bytes: UInt64 = 0) {
        self.chunks = chunks
        self.bytes = bytes
    }

    /// Adds another amount.
    public mutating func add(_ other: LostChunks) {
        chunks += other.chunks
        bytes += other.bytes
    }
}
