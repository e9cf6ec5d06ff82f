public import WeirWire

/// Numbers a flow: rising, never reused within a process.
@frozen
public struct FlowID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Holds the number, from 1.
    public var rawValue: UInt64

    /// Makes the identifier with a number.
    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Prints the number alone.
    public var description: String { String(rawValue) }

    /// Orders identifiers by age.
    @inlinable
    public static func < (left: FlowID, right: FlowID) -> Bool { left.rawValue < right.rawValue }
}

/// Holds the endpoints of a flow, from the client's to the server's.
@frozen
public struct FlowPath: Hashable, Sendable {
    /// Names where the client sends from.
    public var client: Endpoint
    /// Names where the client sends to: the relay's listening side.
    public var listener: Endpoint
    /// Names the ephemeral endpoint that the kernel gave the relay for this client's traffic to the server.
    public var egress: Endpoint?
    /// Names where the relay sends the client's traffic; nil for an echo server's flow, which ends at the listener.
    public var server: Endpoint?

    /// Makes a path from its endpoints.
    public init(client: Endpoint, listener: Endpoint, egress: Endpoint? = nil, server: Endpoint? = nil) {
        self.client = client
        self.listener = listener
        self.egress = egress
        self.server = server
    }
}

extension FlowPath {
    /// Says whose packets are meant, in a capture's comment: the flow's number and the endpoints that it has.
    package func introduction(of flow: FlowID) -> String {
        var text = "flow \(flow) client \(client) listener \(listener)"
        if let server { text += " egress \(egress?.description ?? "none") server \(server)" }
        return text
    }
}
