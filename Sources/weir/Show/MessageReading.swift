import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// What the views that count messages have in common: the messages of the flows, of both legs of a relayed flow once, and a
/// query that chooses among them, and among the flows at the end.
struct MessageReading: ~Copyable {
    /// What the query asks of flows.
    private var flowsQuery: FlowsQuery
    /// What it asks of messages.
    private var messagesQuery: MessagesQuery
    private var dissector = CaptureDissector(wantsFields: false)
    private var joiner = FlowRows()
    /// The places of flows with a message that fits.
    private var chosen: Set<Int> = []

    /// Creates a reading of the messages that a query wants; nil for all.
    init(_ query: FlowQuery?) {
        let parts = query?.parts
        flowsQuery = FlowsQuery(parts?.flows)
        messagesQuery = MessagesQuery(parts?.messages)
    }

    /// The option that needs the bytes of the traffic; nil if the messages that a log has are enough.
    var needsBytes: String? { messagesQuery.needsBytes }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        flowsQuery.begin(metadata, in: flows, joiner)
        messagesQuery.begin(metadata, in: flows, joiner)
        dissector.begin(in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    /// Reads a packet that was already added to the flows.
    mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to receiver: CaptureDissector.Receiver
    ) {
        if messagesQuery.isGiven { _ = messagesQuery.add(packet, bytes, in: flows, joiner) }
        // The messages of a second leg are those of the first.
        guard flows.hasFlow({ joiner.stands($0) }) else { return }
        Self.read(packet, bytes, in: flows, &dissector, &messagesQuery, joiner, &chosen, receiver)
    }

    /// Takes messages that a log has in place of bytes.
    mutating func add(
        _ messages: [LoggedMessage],
        in flows: borrowing CaptureFlows,
        to receiver: CaptureDissector.Receiver
    ) {
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            Self.take(message.message, place, in: flows, &messagesQuery, joiner, &chosen, receiver)
        }
    }

    /// Ends the reading of messages.
    mutating func finish(in flows: borrowing CaptureFlows, to receiver: CaptureDissector.Receiver) {
        Self.finish(in: flows, &dissector, &messagesQuery, joiner, &chosen, receiver)
        flowsQuery.finish()
    }

    /// Returns the flows that what is asked of flows wants, after the end.
    borrowing func rows(of flows: borrowing CaptureFlows) -> [FlowRow] {
        var rows: [FlowRow] = []
        for row in joiner.rows(of: flows.table) where flowsQuery.matches(row) { rows.append(row) }
        return rows
    }

    /// Returns those flows of them that have a message that fits, if the query asks for messages.
    borrowing func chosenRows(of flows: borrowing CaptureFlows) -> [FlowRow] {
        let rows = rows(of: flows)
        return messagesQuery.isGiven ? rows.filter { chosen.contains($0.place) } : rows
    }

    /// Returns those rows whose own failure fits: that the flow was refused, not answered or reset.
    borrowing func failing(_ rows: [FlowRow]) -> [FlowRow] {
        var failing: [FlowRow] = []
        for row in rows where messagesQuery.matchesFailure(row) { failing.append(row) }
        return failing
    }

    // MARK: - Lending

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ query: inout MessagesQuery,
        _ joiner: FlowRows,
        _ chosen: inout Set<Int>,
        _ receiver: CaptureDissector.Receiver
    ) {
        dissector.add(packet, bytes, in: flows) { place, message in
            take(message, place, in: flows, &query, joiner, &chosen, receiver)
        }
    }

    private static func take(
        _ message: Message,
        _ place: Int,
        in flows: borrowing CaptureFlows,
        _ query: inout MessagesQuery,
        _ joiner: FlowRows,
        _ chosen: inout Set<Int>,
        _ receiver: CaptureDissector.Receiver
    ) {
        guard query.isGiven else { return receiver(place, message) }
        query.take(message, of: joiner.row(place, of: flows.table)) { message in
            chosen.insert(place)
            receiver(place, message)
        }
    }

    private static func finish(
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ query: inout MessagesQuery,
        _ joiner: FlowRows,
        _ chosen: inout Set<Int>,
        _ receiver: CaptureDissector.Receiver
    ) {
        dissector.finish { place, message in
            take(message, place, in: flows, &query, joiner, &chosen, receiver)
        }
        query.finish({ joiner.row($0, of: flows.table) }) { place, message in
            chosen.insert(place)
            receiver(place, message)
        }
    }
}
