import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// What the views of HTTP have in common: the exchanges that are wanted, each leg of a relayed flow once.
struct HTTPReading: ~Copyable {
    private var query: CaptureQuery?
    /// The query, if flows alone decide.
    private let ofFlows: FlowQuery?
    private var exchanges = HTTPExchanges()
    private(set) var joiner = FlowRows()

    /// The maximum size of a body after its codings were undone, in bytes.
    static let longestBody = 512 << 20

    init(_ query: FlowQuery?) {
        ofFlows = query?.asksForMessages == true ? nil : query
        if let query { self.query = CaptureQuery(query, readsMessages: false) }
    }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query?.begin(metadata.options.comments, in: flows, joiner)
        exchanges.begin(in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    /// Reads a packet, unless its flow is not wanted; returns the exchanges that it ends and that are wanted.
    mutating func add(_ packet: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) -> [HTTPExchange] {
        query?.add(packet, bytes, in: flows)
        let isRead = flows.hasFlow { joiner.stands($0) && (ofFlows == nil || isWanted($0, flows)) }
        var found: [HTTPExchange] = []
        if isRead { exchanges.add(packet, bytes, in: flows) { found.append($0) } }
        return found.isEmpty ? [] : wanted(found, flows)
    }

    /// Returns whether a query wants a flow as it is without its messages: for files of other protocols.
    func isWanted(_ place: Int, _ flows: borrowing CaptureFlows) -> Bool {
        query?.matchesWithoutMessages(joiner.row(place, of: flows.table)) ?? true
    }

    /// Returns the exchanges that did not end, and that are wanted.
    mutating func finish(in flows: borrowing CaptureFlows) -> [HTTPExchange] {
        query?.finish()
        var found: [HTTPExchange] = []
        exchanges.finish { found.append($0) }
        return wanted(found, flows)
    }

    private mutating func wanted(_ exchanges: [HTTPExchange], _ flows: borrowing CaptureFlows) -> [HTTPExchange] {
        guard query != nil, ofFlows == nil else { return exchanges }
        var wanted: [HTTPExchange] = []
        for exchange in exchanges {
            let row = joiner.row(exchange.place, of: flows.table)
            if query?.matches(exchange, of: row) ?? true { wanted.append(exchange) }
        }
        return wanted
    }

    /// Returns the body of a message without its content codings.
    static func inflated(_ content: HTTPContent?) -> InflatedContent {
        guard let content else { return InflatedContent(bytes: []) }
        return ContentInflater.inflate(content.body, codings: content.codings, limit: longestBody)
    }
}
