import WeirEngine
import WeirWire

/// The rendered output of a sink that is not written yet, and the counts of records that will never be written.
struct SinkBuffer: ~Copyable {
    /// The end of a record's rendering.
    private struct Mark {
        var end: Int
        /// The chunk's length in bytes; nil for every other record.
        var length: Int?
    }

    private var sink: any Sink
    private let interest: Interest
    private var marks: [Mark] = []
    /// The number of written bytes, of those to which the marks refer.
    private var written = 0
    /// The rendered bytes.
    private(set) var buffer: ByteBuffer
    /// The counts of records that were rendered and not written.
    private(set) var missed = Missed()
    /// The failure because of which nothing more is written.
    var failure: SinkFailure?

    init(_ sink: any Sink, capacity: Int) {
        self.sink = sink
        interest = sink.interest
        buffer = ByteBuffer(capacity: capacity)
    }

    /// Renders a record with its chunk's bytes.
    mutating func render(_ record: FlowRecord, of batch: RecordBatch) {
        var length: Int?
        if case .forwarded(let chunk) = record.happening { length = chunk.length }
        if let chunk = record.happening.chunk {
            // A sink that shows bytes gets none if only parts were kept: it was added after the chunk was read.
            if let offset = chunk.bytesOffset, chunk.parts.isEmpty || interest < .bytes {
                let kept = batch.bytes
                let bytes = kept.span.bytes.extracting(offset..<(offset + chunk.keptBytes))
                sink.render(record, bytes: bytes, into: &buffer)
            } else {
                sink.render(record, bytes: RawSpan(), into: &buffer)
            }
        } else {
            sink.render(record, bytes: RawSpan(), into: &buffer)
        }
        marks.append(Mark(end: written + buffer.count, length: length))
    }

    /// Renders the number of chunks and bytes that were skipped because the output was too slow.
    mutating func renderLoss(chunks: UInt64, bytes: UInt64) {
        sink.renderLoss(chunks: chunks, bytes: bytes, into: &buffer)
    }

    /// Renders the beginning of a file, before its first record.
    mutating func renderBegin(at time: Int64) { sink.begin(at: time, into: &buffer) }

    /// Renders the end, after the last record.
    mutating func renderEnd() { sink.finish(into: &buffer) }

    /// Removes the first bytes, which were written.
    mutating func wrote(_ count: Int) {
        buffer.removeFirst(count)
        written += count
        if buffer.isEmpty { clear() }
    }

    /// Removes everything, and counts the records that were not completely written.
    mutating func discard() {
        for mark in marks where mark.end > written { missed.add(chunkOf: mark.length, for: interest) }
        clear()
    }

    private mutating func clear() {
        buffer.removeAll()
        marks.removeAll(keepingCapacity: true)
        written = 0
    }
}
