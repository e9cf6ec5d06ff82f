/// A column of the table of flows.
public enum FlowColumn: String, Hashable, Sendable, CaseIterable {
    /// The number of the flow.
    case flow
    /// The time of its first packet.
    case time
    /// TCP or UDP.
    case transport
    /// The client and the server; with room, both legs of a flow that Weir recorded.
    case ends
    /// The client's endpoint.
    case client
    /// The endpoint of the relay to which the client sent.
    case listener
    /// The endpoint from which the relay sent to the server.
    case egress
    /// The server's endpoint.
    case server
    /// The number of packets from the client.
    case packetsUp = "packets_up"
    /// The number of bytes of payload from the client.
    case up
    /// The number of bytes from the client: whole frames with their original lengths.
    case frameBytesUp = "frame_bytes_up"
    /// The number of packets from the server.
    case packetsDown = "packets_down"
    /// The number of bytes of payload from the server.
    case down
    /// The number of bytes from the server: whole frames with their original lengths.
    case frameBytesDown = "frame_bytes_down"
    /// The time from the first packet to the last.
    case took
    /// How a TCP flow ended.
    case end
    /// The protocol, and the names in the first messages.
    case what

    /// The columns that are shown on a terminal with a number of columns, or in a pipe.
    static func shown(in width: Int?) -> [FlowColumn] {
        let hasPackets = width.map { $0 >= 140 } ?? true
        return hasPackets
            ? [.flow, .time, .transport, .ends, .packetsUp, .up, .packetsDown, .down, .took, .end, .what]
            : [.flow, .time, .transport, .ends, .up, .down, .took, .end, .what]
    }

    /// The heading.
    var heading: StaticString {
        switch self {
        case .flow: "flow"
        case .time: "time"
        case .transport: ""
        case .ends: "client and server"
        case .client: "client"
        case .listener: "listener"
        case .egress: "egress"
        case .server: "server"
        case .packetsUp: "packets up"
        case .up: "up"
        case .frameBytesUp: "frame bytes up"
        case .packetsDown: "packets down"
        case .down: "down"
        case .frameBytesDown: "frame bytes down"
        case .took: "took"
        case .end: "end"
        case .what: "what"
        }
    }

    /// Whether cells stand at the right edge of the column, as numbers do.
    var isRight: Bool {
        switch self {
        case .flow, .packetsUp, .up, .frameBytesUp, .packetsDown, .down, .frameBytesDown, .took: true
        case .time, .transport, .ends, .client, .listener, .egress, .server, .end, .what: false
        }
    }
}
