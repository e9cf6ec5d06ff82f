public import WeirWire

/// Tells that a client took a port to talk from: one choice of an ephemeral-port allocator.
public struct PortUse: Hashable, Sendable {
    /// Counts nanoseconds since 1970 UTC; nil where the time is not known.
    public var time: Int64?
    /// Names who chose the port.
    public var client: IPAddress
    /// Says what carries the flow.
    public var transport: Transport
    /// Says on which side of a relay the choice was seen.
    public var side: PortSide
    /// Names whom the client talks to.
    public var destination: Endpoint
    /// Holds the port that was chosen.
    public var port: UInt16

    /// Makes a use of a port from its parts.
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

/// Says on which side of a relay a client's choice of a port was seen.
public enum PortSide: String, Hashable, Sendable, CaseIterable {
    /// Between a client and its server, with no relay of Weir's known there.
    case direct
    /// Between a client and the relay, which is its destination.
    case client
    /// Between the relay, which chose the port, and the server.
    case egress
}

/// Names whose choices a series holds.
public struct PortSeriesKey: Hashable, Sendable, CustomStringConvertible {
    /// Names who chose the ports.
    public var client: IPAddress
    /// Says what carries the flows.
    public var transport: Transport
    /// Says on which side of a relay they were seen.
    public var side: PortSide

    /// Makes a key from its parts.
    public init(client: IPAddress, transport: Transport, side: PortSide = .direct) {
        self.client = client
        self.transport = transport
        self.side = side
    }

    /// Feeds the key to a hasher as whole words: what is derived would hash the side's name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(client)
        hasher.combine((transport == .udp ? 4 : 0) | (side == .client ? 1 : side == .egress ? 2 : 0))
    }

    /// Prints `client 10.0.0.2 tcp`, `egress 10.0.0.1 tcp`.
    public var description: String { "\(side == .egress ? "egress" : "client") \(client) \(transport)" }
}
