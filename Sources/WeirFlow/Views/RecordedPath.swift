public import WeirWire

/// Holds what a capture that Weir recorded says of one flow: its number there and its endpoints on both legs.
///
/// It stands in a comment on the first packet of each leg:
/// `flow 7 client 127.0.0.1:49152 listener 127.0.0.1:9000 egress 10.0.0.2:51044 server 10.0.0.5:443`.
public struct RecordedPath: Hashable, Sendable {
    /// Holds the flow's number in the relay that recorded it.
    public var number: UInt64
    /// Holds the endpoints; the last two are nil where the flow ended at the listener.
    public var path: FlowPath

    /// Makes a path from its parts.
    public init(number: UInt64, path: FlowPath) {
        self.number = number
        self.path = path
    }

    /// Reads a packet's comment, or nil when it says something else.
    ///
    /// What follows the endpoints is left out.
    public init?(comment: String) {
        var words = comment.split(whereSeparator: { $0 == " " || $0 == ";" })[...]
        func take(_ name: String) -> Substring? {
            guard words.count >= 2, words.first.map({ $0 == name }) == true else { return nil }
            defer { words = words.dropFirst(2) }
            return words.dropFirst().first
        }
        guard let number = take("flow").flatMap({ UInt64($0) }),
            let client = take("client").flatMap({ Endpoint($0) }),
            let listener = take("listener").flatMap({ Endpoint($0) })
        else { return nil }
        var path = FlowPath(client: client, listener: listener)
        if let egress = take("egress"), let server = take("server").flatMap({ Endpoint($0) }) {
            path.egress = Endpoint(egress)
            path.server = server
        }
        self.init(number: number, path: path)
    }

    /// Names one side of a relayed flow.
    public enum Leg: Hashable, Sendable {
        /// Is between the client and the listener.
        case client
        /// Is between the egress and the server.
        case server
    }

    /// Says which leg has these two endpoints, in either order; nil where none has.
    public func leg(of flow: ObservedFlow) -> Leg? {
        let ends: Set = [flow.client, flow.server]
        if ends == [path.client, path.listener] { return .client }
        guard let egress = path.egress, let server = path.server else { return nil }
        return ends == [egress, server] ? .server : nil
    }

    /// Gives a flow of one leg so that its client is the one who dialed: a capture can begin in the middle of a flow.
    func turned(_ flow: ObservedFlow) -> ObservedFlow {
        flow.client == path.listener || flow.client == path.server ? flow.turned : flow
    }
}
