import WeirDissect
import WeirEngine
import WeirWire

/// The rows of the view of statistics: each flow once, and each kind of request.
public struct StatsRows: Sendable {
    /// One flow.
    package struct Flow: Sendable {
        package var row: FlowRow
        package var stats: TrafficStats.Flow
        /// The time to reach the server, in nanoseconds: the relay's dial, if it was recorded.
        package var dial: Int64?
        /// The time from the flow's first packet to the server's first byte, in nanoseconds.
        package var firstByte: Int64?
    }

    /// One kind of request, in all flows together.
    package struct Kind: Sendable {
        package var kind: RequestKind
        package var stats: TrafficStats.Kind
    }

    /// The flows, in the order of their numbers.
    package var flows: [Flow] = []
    /// The kinds, the most frequent first.
    package var kinds: [Kind] = []
    /// The number of flows before any were left out.
    package var flowCount: Int
    /// The number of kinds before any were left out.
    package var kindCount: Int
    /// All answers of all flows.
    package var answers = DelayDistribution()

    /// Makes the rows.
    ///
    /// - Parameters:
    ///   - stats: The statistics of all flows.
    ///   - rows: The flows, without second legs.
    ///   - limit: The maximum number of flows, those with the most payload, and of kinds, the most frequent; nil for
    ///     all.
    public init(_ stats: TrafficStats, _ rows: [FlowRow], limit: Int?) {
        var kinds: [RequestKind: TrafficStats.Kind] = [:]
        for row in rows {
            let flow = stats.flow(row.place)
            var shown = Flow(row: row, stats: flow, dial: flow.dial, firstByte: flow.firstByte(of: row.flow))
            if let leg = row.serverLeg {
                // The client's leg is accepted before the relay dials.
                shown.dial = stats.flow(leg.place).dial
                if shown.stats.name == nil { shown.stats.name = stats.flow(leg.place).name }
            }
            flows.append(shown)
            for (kind, one) in stats.kinds(row.place) { kinds[kind, default: TrafficStats.Kind()].add(one) }
            answers.add(flow.answers)
        }
        self.kinds = kinds.map { Kind(kind: $0.key, stats: $0.value) }.sorted {
            ($1.stats.requests, $0.kind.name, $0.kind.request) < ($0.stats.requests, $1.kind.name, $1.kind.request)
        }
        (flowCount, kindCount) = (flows.count, self.kinds.count)
        guard let limit else { return }
        self.kinds = Array(self.kinds.prefix(limit))
        guard flows.count > limit else { return }
        flows.sort { ($1.payload, $0.row.number) < ($0.payload, $1.row.number) }
        flows = flows.prefix(limit).sorted { $0.row.number < $1.row.number }
    }
}

extension StatsRows.Flow {
    fileprivate var payload: Int { stats.payloadUp + stats.payloadDown }
}

extension TrafficStats.Kind {
    fileprivate mutating func add(_ other: TrafficStats.Kind) {
        requests += other.requests
        failures += other.failures
        bytesUp += other.bytesUp
        bytesDown += other.bytesDown
        answers.add(other.answers)
    }
}
