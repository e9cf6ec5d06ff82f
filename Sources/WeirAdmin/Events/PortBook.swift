import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirWire

/// The ports that clients used and that the system gave the relay for them.
///
/// It has the port pairs of the last flows, and the series of port choices of the first ones, for the same report that
/// `weir relay --ports` prints at its end.
final class PortBook: Sendable {
    /// The ports of one flow.
    struct Pair: Sendable {
        var flow: UInt64
        var transport: Transport
        var path: FlowPath
        var openedWallNanoseconds: Int64
        var isOpen = true
    }

    private static let bound = 10_000
    /// The limits on port choices, 14 bytes each, and on their series.
    private static let choices = (uses: 1 << 16, series: 1 << 12)

    private struct State {
        var pairs: [UInt64: Pair] = [:]
        var order: [UInt64] = []
        var head = 0
        var total: UInt64 = 0
        var table = PortTable(limit: PortBook.choices.uses, seriesLimit: PortBook.choices.series)
    }

    private let state = Lock(State())

    /// Notes a record.
    func notice(_ record: FlowRecord) {
        switch record.happening {
        case .opened: open(record)
        case .connected, .refused: redial(record)
        case .closed: state.withLock { $0.pairs[record.flow.rawValue]?.isOpen = false }
        default: break
        }
    }

    private func open(_ record: FlowRecord) {
        let flow = record.flow.rawValue
        let pair = Pair(
            flow: flow,
            transport: record.transport,
            path: record.path,
            openedWallNanoseconds: record.moment.wallNanoseconds
        )
        state.withLock { state in
            if record.hasClientPort {
                state.table.add(Self.use(of: record, .client, record.path.client, record.path.listener))
            }
            Self.addEgress(record, to: &state)
            state.pairs[flow] = pair
            state.order.append(flow)
            state.total += 1
            guard state.pairs.count > Self.bound else { return }
            state.pairs[state.order[state.head]] = nil
            state.head += 1
            if state.head > Self.bound {
                state.order.removeSubrange(..<state.head)
                state.head = 0
            }
        }
    }

    /// Notes a further dial of a flow, if it is one.
    private func redial(_ record: FlowRecord) {
        state.withLock { state in
            guard let known = state.pairs[record.flow.rawValue]?.path else { return }
            if record.path.egress != known.egress { Self.addEgress(record, to: &state) }
            state.pairs[record.flow.rawValue]?.path = record.path
        }
    }

    private static func addEgress(_ record: FlowRecord, to state: inout State) {
        guard let egress = record.path.egress, let server = record.path.server else { return }
        state.table.add(use(of: record, .egress, egress, server))
    }

    private static func use(of record: FlowRecord, _ side: PortSide, _ own: Endpoint, _ other: Endpoint) -> PortUse {
        PortUse(
            time: record.moment.wallNanoseconds,
            client: own.address,
            transport: record.transport,
            side: side,
            destination: other,
            port: own.port
        )
    }

    /// Returns reports on the series of ports with numbers above `number`; the first series has number 1.
    ///
    /// - Parameters:
    ///   - number: the number of the last series to skip.
    ///   - limit: the maximum number of reports.
    ///   - ranges: the known ranges.
    /// - Returns: the reports, the number of choices for which there was no room, and whether there are more series.
    func reports(after number: Int, limit: Int, _ ranges: OwnPortRanges) -> (
        reports: [PortReport], leftOut: Int, isMore: Bool
    ) {
        let table = state.withLock { $0.table }
        let series = table.series.dropFirst(number)
        let reports = series.prefix(limit).map { PortAnalysis.report($0, known: ranges.known(for: $0)) }
        return (reports, table.leftOut, series.count > limit)
    }

    /// Returns the ports of flows with numbers above `flow`, in the order of their numbers.
    func pairs(after flow: UInt64, limit: Int) -> (pairs: [Pair], flows: UInt64, isMore: Bool) {
        let (all, total) = state.withLock { state in (state.pairs.values.filter { $0.flow > flow }, state.total) }
        let sorted = all.sorted { $0.flow < $1.flow }
        return (Array(sorted.prefix(limit)), total, sorted.count > limit)
    }
}
