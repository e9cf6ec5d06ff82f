import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// What the views that count messages have in common: the messages of the flows, of both legs of a relayed flow once, and a
/// query that chooses among the flows at the end.
struct MessageReading: ~Copyable {
    private var query: FlowsQuery
    private var dissector: CaptureDissector
    private var joiner = FlowRows()

    /// Creates a reading.
    ///
    /// - Parameters:
    ///   - query: The flows that are wanted; nil for all.
    ///   - wantsFields: Whether messages must have their fields.
    init(_ query: FlowQuery?, wantsFields: Bool) {
        self.query = FlowsQuery(query)
        dissector = CaptureDissector(wantsFields: wantsFields)
    }

    /// The option that needs the bytes of the traffic; nil if the messages that a log has are enough.
    var needsBytes: String? { query.needsBytes }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
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
        query.add(packet, bytes, in: flows)
        // The messages of a second leg are those of the first.
        guard flows.hasFlow({ joiner.stands($0) }) else { return }
        dissector.add(packet, bytes, in: flows, to: receiver)
    }

    /// Takes messages that a log has in place of bytes.
    mutating func add(
        _ messages: [LoggedMessage],
        in flows: borrowing CaptureFlows,
        to receiver: CaptureDissector.Receiver
    ) {
        query.add(messages, in: flows)
        for message in messages {
            if let place = flows.table.find(message.tuple) { receiver(place, message.message) }
        }
    }

    /// Ends the reading of messages.
    mutating func finish(to receiver: CaptureDissector.Receiver) {
        dissector.finish(to: receiver)
        query.finish()
    }

    /// Returns the flows that are wanted, after the end.
    borrowing func rows(of flows: borrowing CaptureFlows) -> [FlowRow] {
        var rows: [FlowRow] = []
        for row in joiner.rows(of: flows.table) where query.matches(row) { rows.append(row) }
        return rows
    }
}
