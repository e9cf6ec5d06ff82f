/// Holds the records of one turn of an event loop, with the bytes of their chunks, for all sinks to share.
public struct RecordBatch: Sendable {
    /// Lists the records in the order in which they happened.
    public private(set) var records: [FlowRecord] = []
    /// Holds the chunks' bytes end to end; a record says where its own begin.
    public var bytes: [UInt8] { lent?.bytes ?? own }

    private var own: [UInt8] = []
    /// Holds the bytes once they are many.
    private var lent: LentBytes?
    private let memory: (any BatchMemory)?
    /// Bounds the bytes for which no memory is borrowed: so many are soon copied, and mostly all there are.
    private static let ownLimit = 64 << 10

    /// Makes an empty batch.
    ///
    /// - Parameter memory: lends memory for many bytes; nil where that is not worth the trouble.
    public init(memory: (any BatchMemory)? = nil) {
        self.memory = memory
    }

    /// Tells whether there is nothing in it.
    public var isEmpty: Bool { records.isEmpty }

    /// Counts what is in it, in bytes: its records and the chunks' bytes.
    public var size: Int { records.count * Self.recordSize + byteCount }

    /// Counts the memory that it takes up, in bytes: it has more room than what is in it needs.
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

    /// Adds a record; its chunk's bytes are copied, and the record says where they are.
    ///
    /// - Parameters:
    ///   - record: what happened.
    ///   - chunk: the chunk's bytes.
    ///   - parts: which of them are copied, in order; nil copies all.
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

    /// Returns the batch without its chunks, for a sink that has fallen behind, and what was left out.
    public func withoutChunks() -> (batch: RecordBatch, chunks: Int, bytes: UInt64) {
        var rest = RecordBatch()
        var (chunks, dropped): (Int, UInt64) = (0, 0)
        for record in records {
            switch record.happening {
            case .forwarded(let chunk):
                chunks += 1
                dropped += UInt64(chunk.length)
            // What goes on of it is counted.
            case .received: break
            default: rest.records.append(record)
            }
        }
        return (rest, chunks, dropped)
    }
}
