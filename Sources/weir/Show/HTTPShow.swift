import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// What the views of HTTP have in common: the exchanges of the flows that are wanted, each leg of a relayed flow once.
struct HTTPReading: ~Copyable {
    private var query: FlowsQuery
    private var exchanges = HTTPExchanges()
    private(set) var joiner = FlowRows()

    /// The maximum size of a body after its codings were undone, in bytes.
    static let longestBody = 512 << 20

    init(_ query: FlowQuery?) {
        self.query = FlowsQuery(query)
    }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
        exchanges.begin(in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    /// Reads a packet, unless its flow is not wanted; returns the exchanges that it ends.
    mutating func add(_ packet: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) -> [HTTPExchange] {
        query.add(packet, bytes, in: flows)
        let isRead = flows.hasFlow { joiner.stands($0) && isWanted($0, flows) }
        var found: [HTTPExchange] = []
        if isRead { exchanges.add(packet, bytes, in: flows) { found.append($0) } }
        return found
    }

    /// Returns whether a query wants a flow, of which the last packet is one.
    func isWanted(_ place: Int, _ flows: borrowing CaptureFlows) -> Bool {
        query.matchesPacket(joiner.row(place, of: flows.table))
    }

    /// Returns the exchanges that did not end.
    mutating func finish() -> [HTTPExchange] {
        var found: [HTTPExchange] = []
        exchanges.finish { found.append($0) }
        return found
    }

    /// Returns the body of a message without its content codings.
    static func inflated(_ content: HTTPContent?) -> InflatedContent {
        guard let content else { return InflatedContent(bytes: []) }
        return ContentInflater.inflate(content.body, codings: content.codings, limit: longestBody)
    }
}
