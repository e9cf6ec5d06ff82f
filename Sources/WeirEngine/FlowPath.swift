public import WeirWire

/// The number of a flow: rising, never reused within a process.
@frozen
public struct FlowID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, from 1.
    public var rawValue: UInt64

    /// Creates the identifier with a number.
    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The number alone.
    public var description: String { String(rawValue) }

    /// Orders identifiers by age.
    @inlinable
    public static func < (left: FlowID, right: FlowID) -> Bool { left.rawValue < right.rawValue }
}

/// One side of a relayed flow.
@frozen
public enum FlowLeg: UInt8, Hashable, Sendable, CaseIterable {
    /// The leg between the client and the relay's listener.
    case client
    /// The leg between the relay's egress and the server.
    case server
}

/// The endpoints of a flow, from the client's to the server's.
@frozen
public struct FlowPath: Hashable, Sendable {
    /// The endpoint from which the client sends.
    public var client: Endpoint
    /// The endpoint to which the client sends: the relay's listening side.
    public var listener: Endpoint
    /// The ephemeral endpoint that the kernel gave the relay for this client's traffic to the server.
    public var egress: Endpoint?
    /// The endpoint to which the relay sends the client's traffic; nil for an echo server's flow, which ends at the
    /// listener.
    public var server: Endpoint?

    /// Creates a path from its endpoints.
    public init(client: Endpoint, listener: Endpoint, egress: Endpoint? = nil, server: Endpoint? = nil) {
        self.client = client
        self.listener = listener
        self.egress = egress
        self.server = server
    }
}

extension FlowPath {
    /// The comment on a section of a capture whose packets have introductions.
    package static let statement = "Comments on packets name the relay's flows: the first packet of each leg has one."

    /// Returns the flow's number and its known endpoints, for the comment of a packet in a capture.
    package func introduction(of flow: FlowID) -> String {
        var text = "flow \(flow) client \(client) listener \(listener)"
        if let server { text += " egress \(egress?.description ?? "none") server \(server)" }
        return text
    }
}
