/// Holds the records of one turn of an event loop, with the bytes of their chunks, for all sinks to share.
public struct RecordBatch: Sendable {
    /// Lists the records in the order in which they happened.
    public private(set) var records: [FlowRecord] = []
    /// Holds the chunks' bytes end to end; a record says where its own begin.
    public private(set) var bytes: [UInt8] = []

    /// Makes an empty batch.
    public init() {}

    /// Tells whether there is nothing in it.
    public var isEmpty: Bool { records.isEmpty }

    /// Estimates what the batch costs in a queue, in bytes: 256 for a record, plus the chunks' bytes.
    public var cost: Int { records.count * 256 + bytes.count }

    /// Adds a record.
    public mutating func append(_ record: FlowRecord) {
        records.append(record)
    }

    /// Adds a record; its chunk's bytes are copied, and the record says where they are.
    public mutating func append(_ record: FlowRecord, bytes chunk: RawSpan) {
        guard var detail = record.happening.chunk else { return append(record) }
        detail.bytesOffset = bytes.count
        chunk.withUnsafeBytes { bytes.append(contentsOf: $0) }
        var placed = record
        if case .received = record.happening {
            placed.happening = .received(detail)
        } else {
            placed.happening = .forwarded(detail)
        }
        records.append(placed)
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
