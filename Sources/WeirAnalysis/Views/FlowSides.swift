extension FlowQuery {
    /// Returns the sides of flows whose addresses or ports a query asks for: those that its reader wants to see.
    ///
    /// A word for any side means the client and the server, and the relay's sides if a flow fits by one of them alone.
    ///
    /// - Parameter rows: The flows that are shown.
    /// - Returns: The sides.
    public func sides(in rows: [FlowRow]) -> Set<Side> {
        switch self {
        case .host(_, _, let side), .port(_, let side):
            guard side == .any else { return [side] }
            var sides: Set<Side> = [.client, .server]
            for row in rows.prefix(Self.measured) {
                let fits = [Side.client, .server, .listener, .egress].filter { named($0).matches(row) }
                if fits.allSatisfy({ $0 == .listener || $0 == .egress }) { sides.formUnion(fits) }
                if sides.count == 4 { break }
            }
            return sides
        case .and(let left, let right), .or(let left, let right):
            return left.sides(in: rows).union(right.sides(in: rows))
        default: return []
        }
    }

    /// The number of rows that decide.
    private static var measured: Int { 1000 }

    /// Returns the same word for another side.
    private func named(_ side: Side) -> FlowQuery {
        switch self {
        case .host(let address, let prefix, _): .host(address, prefix: prefix, side)
        case .port(let ports, _): .port(ports, side)
        default: self
        }
    }
}
