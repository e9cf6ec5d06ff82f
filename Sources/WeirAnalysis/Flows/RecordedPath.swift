public import WeirDissect
public import WeirEngine
import WeirWire

/// What a capture that Weir recorded says of one flow: its number there and its endpoints on both legs.
///
/// It is in a comment on the first packet of each leg:
/// `flow 7 client 127.0.0.1:49152 listener 127.0.0.1:9000 egress 10.0.0.2:51044 server 10.0.0.5:443`.
public struct RecordedPath: Hashable, Sendable {
    /// The flow's number in the relay that recorded it.
    public var number: UInt64
    /// The endpoints; the last two are nil if the flow ended at the listener.
    public var path: FlowPath

    /// Creates a path from its parts.
    public init(number: UInt64, path: FlowPath) {
        self.number = number
        self.path = path
    }

    /// Reads a packet's comment; nil if it says something else.
    ///
    /// Anything after the endpoints is ignored.
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

    /// Returns the leg with a flow's two endpoints, in either order; nil if neither has them.
    public func leg(of flow: ObservedFlow) -> FlowLeg? {
        let ends: Set = [flow.client, flow.server]
        if ends == [path.client, path.listener] { return .client }
        guard let egress = path.egress, let server = path.server else { return nil }
        return ends == [egress, server] ? .server : nil
    }

    /// Returns a flow of one leg so that its client is the side that dialed: a capture can begin in the middle of a
    /// flow.
    func turned(_ flow: ObservedFlow) -> ObservedFlow {
        flow.client == path.listener || flow.client == path.server ? flow.turned : flow
    }
}
