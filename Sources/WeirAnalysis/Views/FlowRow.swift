public import WeirDissect
public import WeirEngine

/// One line of the flows view: a flow, or both legs of a relayed one.
public struct FlowRow: Hashable, Sendable {
    /// The number of the flow, from 1 in the order of the flows' first packets.
    public var number: Int
    /// The counts of the flow; if both legs are joined, those of the client's leg.
    public var flow: ObservedFlow
    /// All endpoints of a flow that Weir recorded.
    public var path: FlowPath?
    /// The number and the counts of the server's leg, if it was found.
    public var serverLeg: ServerLeg?

    /// The protocol of the flow and its identifying fields, if they were found.
    public var found: FlowProbes.Found?

    /// The leg between the relay and the server.
    public struct ServerLeg: Hashable, Sendable {
        /// The number of the leg among the flows of the capture.
        public var number: Int
        /// The counts of the leg.
        public var flow: ObservedFlow
    }

    /// Creates a row.
    public init(number: Int, flow: ObservedFlow, path: FlowPath? = nil, serverLeg: ServerLeg? = nil) {
        self.number = number
        self.flow = flow
        self.path = path
        self.serverLeg = serverLeg
    }

    /// How a TCP flow ended, if it is one; if the relay did not reach the server, that counts, and not the reset that
    /// the relay then sent on the client's leg.
    public var close: FlowClose? {
        switch serverLeg?.flow.close {
        case .refused: .refused
        case .unanswered where flow.close == .serverReset: .unanswered
        default: flow.close
        }
    }

    /// Returns whether a number is that of the flow, or of its server's leg.
    public func has(_ number: Int) -> Bool { self.number == number || serverLeg?.number == number }
}

/// A joiner of the legs of a table's flows.
public struct FlowRows: Sendable {
    private var paths: [Int: RecordedPath] = [:]
    /// The indices of the flows of each path, in rising order: seldom more than the two legs.
    private var places: [RecordedPath: [Int]] = [:]

    /// Creates a joiner that knows no legs.
    public init() {}

    /// Reads the comment of a flow's first packet.
    public mutating func add(comment: String, place: Int) {
        guard let path = RecordedPath(comment: comment) else { return }
        if let other = paths[place] { places[other]?.removeAll { $0 == place } }
        paths[place] = path
        places[path, default: []].append(place)
    }

    /// Reads the comments of a packet that begins flows.
    public mutating func add(_ comments: [String], in flows: borrowing CaptureFlows) {
        for comment in comments {
            if let place = flows.tcp, place.isNew { add(comment: comment, place: place.index) }
            if let place = flows.udp, place.isNew { add(comment: comment, place: place.index) }
            for place in flows.innerUDP {
                if let place, place.isNew { add(comment: comment, place: place.index) }
            }
        }
    }

    /// Returns the row of one flow as known so far, without joining its legs.
    public func row(_ place: Int, of table: borrowing FlowTable) -> FlowRow {
        let flow = table[place]
        let path = paths[place].flatMap { $0.leg(of: flow) == nil ? nil : $0.path }
        return FlowRow(number: place + 1, flow: flow, path: path)
    }

    /// Returns the rows of a table in the order of their numbers; a server's leg has no row of its own if its client's
    /// leg was found.
    ///
    /// Complexity: O(n) in the number of flows.
    public func rows(of table: borrowing FlowTable) -> [FlowRow] {
        var rows: [FlowRow] = []
        rows.reserveCapacity(table.count - paths.count / 2)
        for place in 0..<table.count {
            if let row = joined(place, of: table) { rows.append(row) }
        }
        return rows
    }

    /// Returns the row of the flow with a number, or of the flow whose server's leg has the number; nil if there is
    /// none.
    ///
    /// Complexity: O(1) in the number of flows.
    public func row(number: Int, of table: borrowing FlowTable) -> FlowRow? {
        guard number > 0, number <= table.count else { return nil }
        if let row = joined(number - 1, of: table) { return row }
        guard let path = paths[number - 1], let client = first(.client, of: path, in: table) else { return nil }
        return joined(client, of: table)
    }

    /// Returns the row of a flow with its legs joined; nil for a server's leg that is in its client's row.
    private func joined(_ place: Int, of table: borrowing FlowTable) -> FlowRow? {
        var row = FlowRow(number: place + 1, flow: table[place])
        guard let path = paths[place], let leg = path.leg(of: row.flow) else { return row }
        let client = first(.client, of: path, in: table)
        let server = first(.server, of: path, in: table)
        if leg == .server, client != nil, server == place { return nil }
        row.path = path.path
        row.flow = path.turned(row.flow)
        if client == place, let server {
            row.serverLeg = FlowRow.ServerLeg(number: server + 1, flow: path.turned(table[server]))
        }
        return row
    }

    private func first(_ leg: RecordedPath.Leg, of path: RecordedPath, in table: borrowing FlowTable) -> Int? {
        for place in places[path] ?? [] where path.leg(of: table[place]) == leg { return place }
        return nil
    }
}
