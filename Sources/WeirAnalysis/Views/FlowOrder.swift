import WeirDissect

/// The order in which flows are sorted.
public enum FlowOrder: String, Hashable, Sendable, CaseIterable {
    /// By their first packets.
    case flow
    /// By start, the earliest first.
    case start
    /// By duration, the longest first.
    case duration
    /// The same, by the name of the table's column; messages are sorted by the times of their answers.
    case took
    /// By packets, the most first.
    case packets
    /// By bytes of payload, the most first.
    case bytes
    /// By bytes of payload from the client, the most first.
    case up
    /// By bytes of payload from the server, the most first.
    case down
    /// By the client's address, then its port.
    case client
    /// By the server's address, then its port.
    case server
    /// By how the flows ended.
    case close

    /// Sorts rows; equal ones are in the order of their numbers.
    public func sort(_ rows: inout [FlowRow]) {
        switch self {
        case .flow: rows.sort { $0.number < $1.number }
        case .start: sort(&rows, ascending: { $0.start ?? .max })
        case .duration, .took: sort(&rows, descending: { $0.duration ?? 0 })
        case .packets: sort(&rows, descending: { $0.packets })
        case .bytes: sort(&rows, descending: { $0.payload })
        case .up: sort(&rows, descending: { $0.payloadUp })
        case .down: sort(&rows, descending: { $0.payloadDown })
        case .client: sort(&rows, ascending: { $0.client })
        case .server: sort(&rows, ascending: { $0.server })
        case .close:
            rows.sort { ($0.close?.rawValue ?? "", $0.number) < ($1.close?.rawValue ?? "", $1.number) }
        }
    }

    private func sort(_ rows: inout [FlowRow], ascending key: (ObservedFlow) -> some Comparable) {
        rows.sort { (key($0.flow), $0.number) < (key($1.flow), $1.number) }
    }

    private func sort(_ rows: inout [FlowRow], descending key: (ObservedFlow) -> some Comparable) {
        rows.sort { left, right in
            let keys = (key(left.flow), key(right.flow))
            return keys.0 == keys.1 ? left.number < right.number : keys.0 > keys.1
        }
    }
}
