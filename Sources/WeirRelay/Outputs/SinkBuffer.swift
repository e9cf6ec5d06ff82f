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

    /// Renders a record, with its chunk's bytes as far as they were kept.
    mutating func render(_ record: FlowRecord, bytes: RawSpan) {
        // Parts were kept for the reader of messages alone.
        let isWhole = record.happening.chunk?.parts.isEmpty ?? true
        switch record.happening {
        // These are parts of chunks that go on, which are counted.
        case .message(let message):
            guard sink.messages >= (message.isUnfinished ? .fields : .summaries) else { return }
            sink.render(record, bytes: bytes, into: &buffer)
        case .wire:
            if sink.wantsWire { sink.render(record, bytes: bytes, into: &buffer) }
        case .received:
            sink.render(record, bytes: isWhole ? bytes : RawSpan(), into: &buffer)
        case .forwarded(let chunk):
            sink.render(record, bytes: isWhole ? bytes : RawSpan(), into: &buffer)
            marks.append(Mark(end: written + buffer.count, length: chunk.length))
        default:
            sink.render(record, bytes: bytes, into: &buffer)
            marks.append(Mark(end: written + buffer.count, length: nil))
        }
    }

    /// Renders the amount that was skipped because the output was too slow.
    mutating func renderLoss(_ lost: LostChunks) {
        sink.renderLoss(chunks: lost.chunks, bytes: lost.bytes, into: &buffer)
    }

    /// Renders the beginning of a file, before its first record.
    mutating func renderBegin(at time: Int64) { sink.begin(at: time, into: &buffer) }

    /// Renders the end, after the last record.
    mutating func renderEnd() { sink.finish(into: &buffer) }

    /// Removes the first bytes, which were written.
    mutating func wrote(_ count: Int) {
        buffer.removeFirst(count)
        written += count
        if buffer.isEmpty { return clear() }
        marks.removeFirst(marks.firstIndex { $0.end > written } ?? marks.count)
    }

    /// Removes everything, and counts the records that were not completely written.
    mutating func discard() {
        // Without a failure, these are records of which the sink shows nothing.
        if failure != nil || !buffer.isEmpty {
            for mark in marks { missed.add(chunkOf: mark.length, for: interest) }
        }
        clear()
    }

    private mutating func clear() {
        buffer.removeAll()
        marks.removeAll(keepingCapacity: true)
        written = 0
    }
}
