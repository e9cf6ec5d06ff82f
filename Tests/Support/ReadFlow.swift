package import WeirEngine
import WeirSinks
package import WeirWire

/// A flow of TCP to port 80 of a relay, whose records are received with the messages that are read of them before each.
package struct ReadFlow {
    private let path: FlowPath
    private var messages: FlowMessages
    private var sent = [UInt64(0), UInt64(0)]

    /// A closure that receives a record, with the bytes of its chunk.
    package typealias Receiver = (FlowRecord, RawSpan) -> Void

    /// Creates a flow of which nothing has happened, with an interest in messages.
    package init(_ interest: MessageInterest) {
        func endpoint(_ last: UInt8, _ port: UInt16) -> Endpoint {
            Endpoint(address: IPAddress(v4: 0x0a00_0000 | UInt32(last)), port: port)
        }
        path = FlowPath(
            client: endpoint(1, 40_000),
            listener: endpoint(9, 80),
            egress: endpoint(3, 50_000),
            server: endpoint(2, 80)
        )
        messages = FlowMessages(interest)
    }

    /// Lets something happen; `text` is that of a chunk.
    package mutating func take(_ happening: FlowRecord.Happening, _ text: String = "", to receiver: Receiver) {
        let record = record(happening, path: path)
        let bytes = Array(text.utf8)
        var read: [FlowRecord] = []
        messages.read(record, bytes.span.bytes) { message in
            read.append(FlowRecord(of: record.subject, moment: record.moment, happening: .message(message)))
        }
        for message in read { receiver(message, RawSpan()) }
        receiver(record, bytes.span.bytes)
    }

    /// Sends the next chunk of a direction.
    package mutating func send(_ direction: Direction, _ text: String, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        take(chunk(direction, at: sent[side], text.utf8.count), text, to: receiver)
        sent[side] += UInt64(text.utf8.count)
    }

    /// Closes the flow after a second.
    package mutating func close(to receiver: Receiver) {
        let counters = Counters()
        let close = CloseRecord(reason: .finished, upstream: counters, downstream: counters, duration: .seconds(1))
        take(.closed(close), to: receiver)
    }
}
