import WeirFlow
import WeirWire

/// Holds what an output's sink has rendered and nobody has written yet, and counts the records of what never will be.
struct SinkPage: ~Copyable {
    /// Says where a record's rendering ends.
    private struct Mark {
        var end: Int
        /// Counts the chunk's bytes; nil for every other record.
        var length: Int?
    }

    private var sink: any Sink
    private let interest: Interest
    private var marks: [Mark] = []
    /// Counts the bytes that were written of what the marks are about.
    private var written = 0
    /// Holds the rendered bytes.
    private(set) var buffer: ByteBuffer
    /// Counts what was rendered and not written.
    private(set) var missed = Missed()
    /// Says why nothing is written any more.
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
            // Who shows bytes shows none where only some were kept: it came when the chunk was read already.
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

    /// Renders what was left out because the output fell behind.
    mutating func renderLoss(chunks: UInt64, bytes: UInt64) {
        sink.renderLoss(chunks: chunks, bytes: bytes, into: &buffer)
    }

    /// Renders what comes before a file's first record.
    mutating func renderBegin(at time: Int64) { sink.begin(at: time, into: &buffer) }

    /// Renders what comes after the last record.
    mutating func renderEnd() { sink.finish(into: &buffer) }

    /// Takes the first bytes away: they were written.
    mutating func wrote(_ count: Int) {
        buffer.removeFirst(count)
        written += count
        if buffer.isEmpty { clear() }
    }

    /// Takes everything away, and counts the records that were not written to their end.
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
