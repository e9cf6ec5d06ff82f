public import WeirEngine
public import WeirWire

/// A sink that shows only what fits a query: `weir relay --only`.
public struct FilteredSink: Sink {
    /// A record that waits, with a copy of its chunk's bytes.
    private struct Kept: Sendable {
        var record: FlowRecord
        var bytes: [UInt8]
    }

    private var sink: any Sink
    private var query: LiveQuery<Kept>
    private let process: ProcessLookup?

    /// Creates a filter.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - sink: Renders what fits.
    ///   - process: Finds the process of a flow's client; nil if nobody looks for processes.
    ///   - proxy: Returns the name of the route that listens at an endpoint.
    public init(
        _ query: FlowQuery,
        _ sink: any Sink,
        process: ProcessLookup? = nil,
        proxy: @escaping @Sendable (Transport, Endpoint) -> String? = { _, _ in nil }
    ) {
        self.sink = sink
        self.query = LiveQuery(query, proxy: proxy)
        self.process = process
    }

    /// The records that the sink wants, and those that the query needs.
    public var interest: Interest { max(sink.interest, query.query.liveInterest) }

    /// The messages that the sink wants, and those that the query needs.
    public var messages: MessageInterest { max(sink.messages, query.query.liveMessages) }

    /// Whether the sink shows echoes.
    public var showsEchoes: Bool { sink.showsEchoes }

    /// Renders what comes before the first record.
    public mutating func begin(at time: Int64, into output: inout ByteBuffer) { sink.begin(at: time, into: &output) }

    /// Renders a record if it fits, after those that fit because of it.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        var shown: [Kept] = []
        let process = process
        let fits = query.take(
            record,
            bytes,
            process: { process?(record.flow) ?? .notAsked },
            keep: { (Kept(record: record, bytes: bytes.copied), 256 + bytes.byteCount) },
            show: { shown.append($0) }
        )
        for kept in shown { pass(kept.record, kept.bytes.span.bytes, &output) }
        if fits { pass(record, bytes, &output) }
    }

    /// Renders the amount that was left out, whether it would have fitted or not.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        sink.renderLoss(chunks: chunks, bytes: bytes, into: &output)
    }

    /// Renders what comes after the last record.
    public mutating func finish(into output: inout ByteBuffer) { sink.finish(into: &output) }

    /// Renders a record if the sink wants such records.
    private mutating func pass(_ record: FlowRecord, _ bytes: RawSpan, _ output: inout ByteBuffer) {
        switch record.happening {
        case .message(let message):
            guard sink.messages >= (message.isUnfinished ? .fields : .summaries) else { return }
        case .received, .forwarded: guard sink.interest >= .chunks else { return }
        default: break
        }
        sink.render(record, bytes: bytes, into: &output)
    }
}
