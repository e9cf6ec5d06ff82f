import WeirFlow
import WeirRelay
import WeirWire

/// Keeps which port the relay's system gave for which client's, of the last flows: what `weir relay` says at its end.
final class PortBook: Sendable {
    /// Holds the ports of one flow.
    struct Pair: Sendable {
        var flow: UInt64
        var transport: Transport
        var path: FlowPath
        var openedWallNanoseconds: Int64
        var isOpen = true
    }

    private static let bound = 10_000

    private struct State {
        var pairs: [UInt64: Pair] = [:]
        var order: [UInt64] = []
        var head = 0
        var total: UInt64 = 0
    }

    private let state = Lock(State())

    /// Takes notice of a record.
    func notice(_ record: FlowRecord) {
        switch record.happening {
        case .opened: open(record)
        case .connected: state.withLock { $0.pairs[record.flow.rawValue]?.path = record.path }
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

    /// Lists the ports of flows with higher numbers than one, by their numbers.
    func pairs(after flow: UInt64, limit: Int) -> (pairs: [Pair], flows: UInt64, isMore: Bool) {
        let (all, total) = state.withLock { state in (state.pairs.values.filter { $0.flow > flow }, state.total) }
        let sorted = all.sorted { $0.flow < $1.flow }
        return (Array(sorted.prefix(limit)), total, sorted.count > limit)
    }
}
