import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirWire

/// The query of a view of flows, or of packets; without one everything fits.
struct FlowsQuery: ~Copyable {
    private var query: CaptureQuery?
    /// Whether all packets must be given to it.
    let needsPackets: Bool
    /// The number that a flow must have, if the query asks for one.
    let number: Int?
    /// The option that needs the bytes of the traffic; nil if flows and messages are enough.
    let needsBytes: String?

    init(_ query: FlowQuery?) {
        number = query?.number
        needsBytes = query.flatMap(Self.needsBytes)
        guard let query else {
            needsPackets = false
            return
        }
        let reader = CaptureQuery(query)
        needsPackets = reader.needsPackets
        self.query = consume reader
    }

    /// Returns the option that needs bytes for a query; nil if it does not.
    static func needsBytes(_ query: FlowQuery) -> String? {
        query.needs.contains(.bytes) ? "--where, for 'contains' and 'matches'," : nil
    }

    /// Whether there is one.
    var isGiven: Bool { query != nil }

    /// Adds the metadata of a packet that begins flows.
    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows, _ rows: FlowRows) {
        query?.begin(metadata.options.comments, in: flows, rows)
    }

    /// Adds a packet that was already added to the flows.
    mutating func add(_ packet: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        if needsPackets { query?.add(packet, bytes, in: flows) }
    }

    /// Adds messages that a log has in place of bytes.
    mutating func add(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows) {
        for message in messages {
            if let place = flows.table.find(message.tuple) { query?.add(message.message, of: place) }
        }
    }

    /// Ends the reading.
    mutating func finish() { query?.finish() }

    /// Returns whether a flow fits, after everything was read.
    borrowing func matches(_ row: FlowRow) -> Bool { query?.matches(row) ?? true }

    /// Returns whether the last packet fits, as one of a flow.
    borrowing func matchesPacket(_ row: FlowRow) -> Bool { query?.matchesPacket(row) ?? true }
}

/// The query of a view of messages; without one everything fits.
struct MessagesQuery: ~Copyable {
    private var query: CaptureQuery?
    /// The query, if flows alone decide.
    private let ofFlows: FlowQuery?
    /// The option that needs the bytes of the traffic; nil if flows and messages are enough.
    let needsBytes: String?

    init(_ query: FlowQuery?) {
        ofFlows = query?.asksForMessages == true ? nil : query
        needsBytes = query.flatMap(FlowsQuery.needsBytes)
        if let query { self.query = CaptureQuery(query, readsMessages: false) }
    }

    /// Whether there is one.
    var isGiven: Bool { query != nil }

    /// Adds the metadata of a packet that begins flows.
    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows, _ rows: FlowRows) {
        query?.begin(metadata.options.comments, in: flows, rows)
    }

    /// Adds a packet that was already added to the flows, before its messages are read.
    ///
    /// - Returns: Whether one of the packet's flows is wanted, a tunnel or one within it.
    mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ rows: FlowRows
    ) -> Bool {
        query?.add(packet, bytes, in: flows)
        guard ofFlows != nil else { return true }
        for place in [flows.tcp, flows.udp] + flows.innerUDP {
            guard let place = place?.index else { continue }
            if query?.matchesPacket(rows.row(place, of: flows.table)) ?? true { return true }
        }
        return false
    }

    /// Takes a message, and gives those to show: this one, and the request that it answers, which has waited for it.
    mutating func take(_ message: Message, of row: @autoclosure () -> FlowRow, to receiver: (Message) -> Void) {
        guard query != nil else { return receiver(message) }
        query?.take(message, of: row(), to: receiver)
    }

    /// Gives the requests that nobody answered, with the places of their flows.
    mutating func finish(_ row: (Int) -> FlowRow, to receiver: (Int, Message) -> Void) {
        query?.finish(row, to: receiver)
    }

    /// Returns whether the failure of a flow fits, after everything was read.
    borrowing func matchesFailure(_ row: FlowRow) -> Bool { query?.matchesFailure(row) ?? true }
}
