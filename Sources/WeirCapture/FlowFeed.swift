import Synchronization
public import WeirEngine
public import WeirWire

/// The relay's flows for a live capture: a sink adds records on its thread, and the capture takes them on its own.
public final class FlowFeed: Sendable {
    private let records = Mutex<[FlowRecord]?>([])
    private let isEmpty = Atomic<Bool>(true)

    /// Creates a feed that knows no flow.
    public init() {}

    /// Takes the records since the last call, in order.
    ///
    /// Costs one load if there are none.
    func take() -> [FlowRecord] {
        guard !isEmpty.load(ordering: .acquiring) else { return [] }
        return records.withLock { records in
            isEmpty.store(true, ordering: .relaxed)
            defer { if records != nil { records = [] } }
            return records ?? []
        }
    }

    /// Discards all records from now on, because nothing will take them.
    public func close() { records.withLock { $0 = nil } }

    func add(_ record: FlowRecord) {
        records.withLock { records in
            guard records?.append(record) != nil else { return }
            isEmpty.store(false, ordering: .releasing)
        }
    }
}

/// A sink that passes on the records of flows that begin or end, and renders nothing.
public struct FlowFeedSink: Sink {
    private let feed: FlowFeed

    /// Creates a sink that fills a feed.
    public init(_ feed: FlowFeed) {
        self.feed = feed
    }

    /// The records that the sink wants: those of flows, none of chunks.
    public var interest: Interest { .flows }

    /// Passes on a record that begins or ends a leg.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .opened, .connected(_, isRerouted: true), .refused, .closed: feed.add(record)
        default: break
        }
    }
}
