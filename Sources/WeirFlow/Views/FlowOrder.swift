import WeirWire

/// Names what flows are sorted by.
public enum FlowOrder: String, Hashable, Sendable, CaseIterable {
    /// Puts them in the order of their first packets.
    case flow
    /// Puts the earliest first.
    case start
    /// Puts the longest first.
    case duration
    /// Puts the one with the most packets first.
    case packets
    /// Puts the one with the most bytes first.
    case bytes
    /// Puts the one with the most bytes from its client first.
    case up
    /// Puts the one with the most bytes from its server first.
    case down
    /// Sorts by the client's address, then its port.
    case client
    /// Sorts by the server's address, then its port.
    case server
    /// Sorts by how the flows ended.
    case close

    /// Sorts rows; equal ones stay in the order of their numbers.
    public func sort(_ rows: inout [FlowRow]) {
        switch self {
        case .flow: rows.sort { $0.number < $1.number }
        case .start: sort(&rows, ascending: { $0.start ?? .max })
        case .duration: sort(&rows, descending: { $0.duration ?? 0 })
        case .packets: sort(&rows, descending: { $0.packets })
        case .bytes: sort(&rows, descending: { $0.bytes })
        case .up: sort(&rows, descending: { $0.bytesUp })
        case .down: sort(&rows, descending: { $0.bytesDown })
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
