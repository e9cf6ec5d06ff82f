public import WeirDissect
public import WeirEngine
public import WeirWire

/// The numbers of a capture's flows, and the legs that belong together.
///
/// A flow that Weir recorded has the number that the relay gave it; the first packet of each of its legs says so in a
/// comment. Other captures have no such comments: their flows are numbered from 1 in the order of their first packets.
/// In a capture that has them, further flows are numbered from `base` on, so that no number means two flows; so is one
/// whose number another flow has, if captures of several relays are read together.
public struct FlowRows: Sendable {
    /// What is added to the numbers of flows that the relay did not number, if it numbered others.
    public static let base = 1_000_000_000

    /// The flow's legs, with their places in the table in rising order.
    private struct Group: Sendable {
        var number: Int
        var client: Int?
        /// Several if the first dial failed.
        var servers: [Int] = []
    }

    /// A flow in its relay: a later dial changes only the server's leg.
    private struct Key: Hashable {
        var number: UInt64
        var client: Endpoint
        var listener: Endpoint
    }

    /// The flow and the leg of a place.
    private struct Member: Sendable {
        var path: RecordedPath
        var leg: FlowLeg
        var group: Int
    }

    private var members: [Int: Member] = [:]
    private var groups: [Group] = []
    /// The last group of each flow.
    private var latest: [Key: Int] = [:]
    private var numbered: [Int: Int] = [:]

    /// Creates the numbers of no flow.
    public init() {}

    /// Whether a relay's numbers were found.
    public private(set) var isRecorded = false

    /// Notes whether a section of a file has a relay's flows; no other block says anything of them.
    public mutating func add(_ block: CaptureBlock) {
        if case .section(let section) = block, section.comments.contains(FlowPath.statement) { isRecorded = true }
    }

    /// Reads the comment of the first packet of a flow.
    public mutating func add(comment: String, place: Int, in table: borrowing FlowTable) {
        guard let path = RecordedPath(comment: comment), let leg = path.leg(of: table[place]) else { return }
        leave(place)
        isRecorded = true
        let key = Key(number: path.number, client: path.path.client, listener: path.path.listener)
        let group = latest[key].flatMap { leg == .client && groups[$0].client != nil ? nil : $0 } ?? make(key, place)
        if leg == .client { groups[group].client = place } else { groups[group].servers.append(place) }
        members[place] = Member(path: path, leg: leg, group: group)
    }

    /// Reads the comments of a packet that begins flows.
    public mutating func add(_ comments: [String], in flows: borrowing CaptureFlows) {
        for comment in comments {
            if let place = flows.tcp, place.isNew { add(comment: comment, place: place.index, in: flows.table) }
            if let place = flows.udp, place.isNew { add(comment: comment, place: place.index, in: flows.table) }
            for place in flows.innerUDP {
                if let place, place.isNew { add(comment: comment, place: place.index, in: flows.table) }
            }
        }
    }

    private mutating func make(_ key: Key, _ place: Int) -> Int {
        var number = Int(clamping: key.number)
        if numbered[number] != nil { number = Self.base + place + 1 }
        groups.append(Group(number: number))
        numbered[number] = groups.count - 1
        latest[key] = groups.count - 1
        return groups.count - 1
    }

    /// Takes a place out of its group: a later comment on the same packet counts.
    private mutating func leave(_ place: Int) {
        guard let member = members.removeValue(forKey: place) else { return }
        if member.leg == .client { groups[member.group].client = nil }
        groups[member.group].servers.removeAll { $0 == place }
    }
}

// MARK: - Numbers

extension FlowRows {
    /// Returns the number of the flow at a place.
    public func number(_ place: Int) -> Int {
        guard isRecorded else { return place + 1 }
        return members[place].map { groups[$0.group].number } ?? Self.base + place + 1
    }

    /// Returns the leg of the flow at a place; nil if Weir did not record it.
    public func leg(_ place: Int) -> FlowLeg? { members[place]?.leg }

    /// Returns the endpoints of the flow at a place, on both legs; nil if Weir did not record it.
    public func path(_ place: Int) -> FlowPath? { members[place]?.path.path }

    /// Returns the leg of the flow at a place if the same bytes may be on the other one: nil for a flow without a server,
    /// and for a server's leg whose client's was not found.
    public func comparedLeg(_ place: Int) -> FlowLeg? {
        guard let member = members[place], member.path.path.server != nil else { return nil }
        return groups[member.group].client == nil ? nil : member.leg
    }

    /// Returns whether a place stands for its flow: of a flow that Weir recorded, the client's leg does, if it was found.
    public func stands(_ place: Int) -> Bool {
        guard let member = members[place] else { return true }
        let group = groups[member.group]
        return place == group.client ?? group.servers.last
    }

    /// Finds the flow with a number.
    ///
    /// - Parameters:
    ///   - number: The number.
    ///   - leg: The leg; nil for the client's, or for the server's if it is the only one.
    ///   - count: The number of flows in the table.
    /// - Returns: Its place; nil if there is none, or it does not have the leg.
    public func place(_ number: Int, _ leg: FlowLeg? = nil, count: Int) -> Int? {
        if let group = numbered[number].map({ groups[$0] }) {
            switch leg {
            case .client: return group.client
            case .server: return group.servers.last
            case nil: return group.client ?? group.servers.last
            }
        }
        let place = number - 1 - (isRecorded ? Self.base : 0)
        return place >= 0 && place < count && members[place] == nil && leg == nil ? place : nil
    }

    /// Returns the number of flows in a table, both legs of one counted once.
    public func count(in table: borrowing FlowTable) -> Int { table.count - members.count + groups.count }

    /// Returns the lowest and the highest number of the flows in a table, but for those that no relay numbered.
    public func numbers(in table: borrowing FlowTable) -> ClosedRange<Int>? {
        guard isRecorded else { return table.count > 0 ? 1...table.count : nil }
        let all = groups.lazy.map(\.number)
        guard let low = all.min(), let high = all.max() else { return nil }
        return low...high
    }

    /// Returns the numbers of TCP and of UDP flows in a table, both legs of one counted once.
    func kinds(in table: borrowing FlowTable) -> (tcp: Int, udp: Int) {
        var kinds = (tcp: 0, udp: 0)
        for place in 0..<table.count where stands(place) {
            if table[place].transport == .tcp { kinds.tcp += 1 } else { kinds.udp += 1 }
        }
        return kinds
    }

    /// Returns what belongs to a flow's number in the text of a view: `3`, or `3s` for the server's leg.
    public func label(_ place: Int, isApart: Bool) -> FlowLabel {
        FlowLabel(number: number(place), leg: isApart ? leg(place) : nil)
    }
}

/// A flow's number, with the leg if both have to be told apart: `3`, `3c`, `3s`.
public struct FlowLabel: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The number of the flow.
    public var number: Int
    /// The leg; nil if there is one only.
    public var leg: FlowLeg?

    /// Creates a label.
    public init(number: Int, leg: FlowLeg? = nil) {
        self.number = number
        self.leg = leg
    }

    /// Creates the label of a flow with one leg.
    public init(integerLiteral number: Int) {
        self.init(number: number)
    }

    /// Appends it, after the sign: `#3s`.
    func append(to output: inout ByteBuffer) {
        output.append("#")
        output.appendDecimal(number)
        switch leg {
        case .client: output.append("c")
        case .server: output.append("s")
        case nil: break
        }
    }
}

extension FlowLeg {
    /// The name in JSON.
    var name: StaticString { self == .client ? "client" : "server" }
}

// MARK: - Rows

extension FlowRows {
    /// Returns the row of one flow as known so far, without joining its legs.
    public func row(_ place: Int, of table: borrowing FlowTable) -> FlowRow {
        let member = members[place]
        return FlowRow(
            number: number(place),
            place: place,
            flow: table[place],
            path: member?.path.path,
            leg: member?.leg
        )
    }

    /// Returns the server's leg for a place that is one beside its client's; nil for every other place.
    public func secondLeg(_ place: Int) -> FlowLeg? { stands(place) ? nil : members[place]?.leg }

    /// Returns the rows of a table in the order of their numbers; a server's leg has no row of its own if its client's
    /// leg was found.
    ///
    /// Complexity: O(n log n) in the number of flows.
    public func rows(of table: borrowing FlowTable) -> [FlowRow] {
        var rows: [FlowRow] = []
        rows.reserveCapacity(count(in: table))
        for place in 0..<table.count {
            if let row = joined(place, of: table) { rows.append(row) }
        }
        if isRecorded { rows.sort { $0.number < $1.number } }
        return rows
    }

    /// Returns the row of the flow with a number; nil if there is none.
    ///
    /// Complexity: O(1) in the number of flows.
    public func row(number: Int, of table: borrowing FlowTable) -> FlowRow? {
        place(number, count: table.count).flatMap { joined($0, of: table) }
    }

    /// Returns the row of a flow with its legs joined; nil for a leg that is in another one's row.
    private func joined(_ place: Int, of table: borrowing FlowTable) -> FlowRow? {
        var row = row(place, of: table)
        guard let member = members[place] else { return row }
        let group = groups[member.group]
        guard stands(place) else { return nil }
        row.flow = member.path.turned(row.flow)
        guard member.leg == .client, let server = group.servers.last, let dialed = members[server]?.path else {
            return row
        }
        // The last dial is the one that counts.
        row.path = dialed.path
        row.serverLeg = FlowRow.ServerLeg(place: server, flow: dialed.turned(table[server]))
        return row
    }
}

extension CaptureDissector {
    /// Notes the ports of the relayed flow whose packet was read last: they tell its protocol on both legs.
    ///
    /// - Parameters:
    ///   - flows: the capture's flows.
    ///   - rows: the legs that belong together, with the packet's comments read.
    public mutating func begin(in flows: borrowing CaptureFlows, _ rows: FlowRows) {
        for place in [flows.tcp, flows.udp] {
            if let place { begin(place, rows) }
        }
    }

    /// Notes the ports of a relayed flow.
    mutating func begin(_ place: FlowTable.Place, _ rows: FlowRows) {
        guard let path = rows.path(place.index) else { return }
        begin(leg: place.index, listener: path.listener.port, server: (path.server ?? path.listener).port)
    }
}
