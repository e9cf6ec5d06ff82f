import Synchronization
public import WeirFlow
public import WeirWire

/// Tells a live capture which flows the relay has: the sink takes records on its thread, the capture reads them on its own.
public final class FlowFeed: Sendable {
    private let records = Mutex<[FlowRecord]?>([])
    private let isEmpty = Atomic<Bool>(true)

    /// Makes a feed that knows of no flow.
    public init() {}

    /// Takes the records that have come since the last time, in order.
    ///
    /// Costs a load where there are none.
    func take() -> [FlowRecord] {
        guard !isEmpty.load(ordering: .acquiring) else { return [] }
        return records.withLock { records in
            isEmpty.store(true, ordering: .relaxed)
            defer { if records != nil { records = [] } }
            return records ?? []
        }
    }

    /// Keeps nothing from now on: nobody will take it.
    public func close() { records.withLock { $0 = nil } }

    func add(_ record: FlowRecord) {
        records.withLock { records in
            guard records?.append(record) != nil else { return }
            isEmpty.store(false, ordering: .releasing)
        }
    }
}

/// Hands on what begins and ends flows, and renders nothing.
public struct FlowFeedSink: Sink {
    private let feed: FlowFeed

    /// Makes a sink that fills a feed.
    public init(_ feed: FlowFeed) {
        self.feed = feed
    }

    /// Wants nothing of chunks.
    public var interest: Interest { .flows }

    /// Hands on a record that begins or ends a leg.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .opened, .connected(_, isRerouted: true), .refused, .closed: feed.add(record)
        case .connected, .received, .forwarded, .ended, .mismatch, .dropped, .toxic, .endForwarded: break
        }
    }
}
