public import WeirWire

/// One choice of an ephemeral-port allocator: a client took a port for a flow.
public struct PortUse: Hashable, Sendable {
    /// The time in ns since 1970 UTC; nil if it is not known.
    public var time: Int64?
    /// The address of the client that chose the port.
    public var client: IPAddress
    /// The transport of the flow.
    public var transport: Transport
    /// The side of a relay on which the choice was seen.
    public var side: PortSide
    /// The endpoint to which the client sends.
    public var destination: Endpoint
    /// The port that was chosen.
    public var port: UInt16

    /// Creates a use of a port from its parts.
    public init(
        time: Int64?,
        client: IPAddress,
        transport: Transport,
        side: PortSide = .direct,
        destination: Endpoint,
        port: UInt16
    ) {
        self.time = time
        self.client = client
        self.transport = transport
        self.side = side
        self.destination = destination
        self.port = port
    }
}

/// The side of a relay on which a client's choice of a port was seen.
public enum PortSide: String, Hashable, Sendable, CaseIterable {
    /// Between a client and its server, without a known relay of Weir's.
    case direct
    /// Between a client and the relay, which is its destination.
    case client
    /// Between the relay, which chose the port, and the server.
    case egress
}

/// The client, transport and side of a series' choices.
public struct PortSeriesKey: Hashable, Sendable, CustomStringConvertible {
    /// The address that chose the ports.
    public var client: IPAddress
    /// The transport of the flows.
    public var transport: Transport
    /// The side of a relay on which they were seen.
    public var side: PortSide

    /// Creates a key from its parts.
    public init(client: IPAddress, transport: Transport, side: PortSide = .direct) {
        self.client = client
        self.transport = transport
        self.side = side
    }

    /// Hashes the key as whole words: the synthesized function would hash the side's name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(client)
        hasher.combine((transport == .udp ? 4 : 0) | (side == .client ? 1 : side == .egress ? 2 : 0))
    }

    /// The key in the form `client 10.0.0.2 tcp` or `egress 10.0.0.1 tcp`.
    public var description: String { "\(side == .egress ? "egress" : "client") \(client) \(transport)" }
}
