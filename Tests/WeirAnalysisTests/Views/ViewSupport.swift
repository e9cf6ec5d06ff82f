import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

/// Gives what a closure appends to a buffer.
func shown(_ body: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer(capacity: 0)
    body(&buffer)
    return buffer.string
}

/// Makes flows the way a capture does.
struct Packets: ~Copyable {
    var table = FlowTable()
    var joiner = FlowRows()

    /// Counts a packet; a comment on the first one of a flow is taken.
    mutating func add(
        _ transport: Transport,
        _ source: String,
        _ destination: String,
        _ flags: TCPFlags = .ack,
        number: UInt32 = 1,
        length: Int = 60,
        payload: Int = 0,
        at time: Int64? = 0,
        comment: String? = nil
    ) throws {
        let tuple = FiveTuple(
            transport: transport,
            source: try #require(Endpoint(source)),
            destination: try #require(Endpoint(destination))
        )
        let segment = StreamSegment(sequenceNumber: number, flags: flags, length: payload)
        let isStream = transport == .tcp
        let place = table.add(tuple, isStream ? segment : nil, length: length, payload: payload, at: time)
        guard let place, let comment, place.isNew else { return }
        joiner.add(comment: comment, place: place.index, in: table)
    }

    var rows: [FlowRow] { joiner.rows(of: table) }
}
