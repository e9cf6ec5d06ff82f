public import WeirWire

/// Is one line of the flows view: a flow, or both legs of a relayed one.
public struct FlowRow: Hashable, Sendable {
    /// Numbers the flow, from 1 in the order of the flows' first packets.
    public var number: Int
    /// Counts its packets; those of the client's leg where both are joined.
    public var flow: ObservedFlow
    /// Holds all endpoints of a flow that Weir recorded.
    public var path: FlowPath?
    /// Holds the number and the counts of the server's leg where it was found.
    public var serverLeg: ServerLeg?

    /// Says what protocol the flow is of and what it is known by, where that was found.
    public var found: FlowProbes.Found?

    /// Holds the leg between the relay and the server.
    public struct ServerLeg: Hashable, Sendable {
        /// Numbers it among the flows of the capture.
        public var number: Int
        /// Counts its packets.
        public var flow: ObservedFlow
    }

    /// Makes a row.
    public init(number: Int, flow: ObservedFlow, path: FlowPath? = nil, serverLeg: ServerLeg? = nil) {
        self.number = number
        self.flow = flow
        self.path = path
        self.serverLeg = serverLeg
    }

    /// Says whether a number is that of the flow, or of its server's leg.
    public func has(_ number: Int) -> Bool { self.number == number || serverLeg?.number == number }
}

/// Joins the legs of the flows of a table.
public struct FlowRows: Sendable {
    private var paths: [Int: RecordedPath] = [:]

    /// Makes a joiner that knows of no legs.
    public init() {}

    /// Takes the comment of a flow's first packet.
    public mutating func add(comment: String, place: Int) {
        if let path = RecordedPath(comment: comment) { paths[place] = path }
    }

    /// Takes the comments of a packet that begins flows.
    public mutating func add(_ comments: [String], in flows: borrowing CaptureFlows) {
        for comment in comments {
            if let place = flows.tcp, place.isNew { add(comment: comment, place: place.index) }
            if let place = flows.udp, place.isNew { add(comment: comment, place: place.index) }
            for place in flows.innerUDP {
                if let place, place.isNew { add(comment: comment, place: place.index) }
            }
        }
    }

    /// Returns the row of one flow as it is known so far; its legs are not joined.
    public func row(_ place: Int, of table: borrowing FlowTable) -> FlowRow {
        let flow = table[place]
        let path = paths[place].flatMap { $0.leg(of: flow) == nil ? nil : $0.path }
        return FlowRow(number: place + 1, flow: flow, path: path)
    }

    /// Returns the rows of a table in the order of their numbers; a server's leg has none of its own where its client's
    /// leg is there.
    ///
    /// Complexity: O(n) in the number of flows.
    public func rows(of table: borrowing FlowTable) -> [FlowRow] {
        var clientLegs: [RecordedPath: Int] = [:]
        var serverLegs: [RecordedPath: Int] = [:]
        for place in paths.keys.sorted(by: >) {
            guard let path = paths[place] else { continue }
            switch path.leg(of: table[place]) {
            case .client: clientLegs[path] = place
            case .server: serverLegs[path] = place
            case nil: break
            }
        }
        var rows: [FlowRow] = []
        rows.reserveCapacity(table.count - serverLegs.count)
        for place in 0..<table.count {
            var row = FlowRow(number: place + 1, flow: table[place])
            if let path = paths[place], let leg = path.leg(of: row.flow) {
                if leg == .server, clientLegs[path] != nil, serverLegs[path] == place { continue }
                row.path = path.path
                row.flow = path.turned(row.flow)
                if clientLegs[path] == place, let server = serverLegs[path] {
                    row.serverLeg = FlowRow.ServerLeg(number: server + 1, flow: path.turned(table[server]))
                }
            }
            rows.append(row)
        }
        return rows
    }
}
