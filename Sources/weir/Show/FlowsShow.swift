import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirWire

/// The view of a capture's flows.
struct FlowsShow: ShowView, ~Copyable {
    private var query: FlowsQuery
    /// What the query names is shown.
    private let asked: FlowQuery?
    private let order: FlowOrder
    private let isReversed: Bool
    private let limit: Int?
    private let isJSON: Bool
    private let style: TerminalStyle
    private let columns: [FlowColumn]?
    private var joiner = FlowRows()
    private var probes = FlowProbes()
    /// What the messages of logs without bytes tell of flows.
    private var logged: [Int: FlowProbes.Found] = [:]

    init(
        _ query: FlowQuery?,
        order: FlowOrder,
        isReversed: Bool,
        limit: Int? = nil,
        isJSON: Bool,
        _ style: TerminalStyle,
        columns: [FlowColumn]?
    ) {
        self.query = FlowsQuery(query)
        self.order = order
        self.isReversed = isReversed
        self.limit = limit
        asked = query
        self.isJSON = isJSON
        self.style = style
        self.columns = columns
    }

    @inline(__always)
    func wants(_ tcp: FlowTable.Place?, _ udp: FlowTable.Place?, _ inner: [FlowTable.Place?]) -> Bool {
        query.needsPackets || probes.wants(tcp, udp, inner)
    }

    var needsBytes: String? { query.needsBytes }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        if query.needsPackets { query.add(packet, bytes, in: flows) }
        if probes.wants(flows.tcp, flows.udp, flows.innerUDP) { probes.add(packet, bytes, in: flows) }
    }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        query.add(messages, in: flows)
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            let (name, facts) = (message.message.name.description, message.message.facts)
            var found = logged[place] ?? FlowProbes.Found(name: name)
            if found.findings[.host] == nil { found.findings[.host] = facts.host }
            if found.findings[.serverName] == nil { found.findings[.serverName] = facts.serverName }
            logged[place] = found
        }
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        var rows =
            if let number = query.number {
                [joiner.row(number: number, of: flows.table)].compactMap(\.self)
            } else {
                joiner.rows(of: flows.table)
            }
        probes.finish()
        for index in rows.indices {
            // The server's port may tell what the listener's does not.
            let server = rows[index].serverLeg.flatMap { probes.found($0.place) }
            rows[index].found = probes.found(rows[index].place) ?? server ?? logged[rows[index].place]
        }
        query.finish()
        if query.isGiven {
            var wanted: [FlowRow] = []
            for row in rows where query.matches(row) { wanted.append(row) }
            rows = wanted
        }
        if order != .flow { order.sort(&rows) }
        if isReversed { rows.reverse() }
        if let limit { rows = Array(rows.prefix(limit)) }
        if isJSON {
            var view = FlowsJSON()
            for row in rows { output.write { view.append(row, to: &$0) } }
            return
        }
        var view = FlowsText(
            rows,
            style,
            columns: columns,
            naming: asked?.sides(in: rows) ?? [],
            localOffset: Terminal.localOffset
        )
        output.write { view.appendHeading(to: &$0) }
        for row in rows { output.write { view.append(row, to: &$0) } }
        output.write { view.appendTotals(rows, among: joiner.count(in: flows.table), of: flows, to: &$0) }
    }
}
