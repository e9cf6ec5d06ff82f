/// Identifies the packets of one flow on one leg: a transport, where from and where to.
@frozen
public struct FiveTuple: Hashable, Sendable {
    /// Holds the transport.
    public var transport: Transport
    /// Holds the endpoint that sent the packet.
    public var source: Endpoint
    /// Holds the endpoint that the packet is for.
    public var destination: Endpoint

    /// Creates a tuple from its parts.
    @inlinable
    public init(transport: Transport, source: Endpoint, destination: Endpoint) {
        self.transport = transport
        self.source = source
        self.destination = destination
    }

    /// Gives the tuple of the packets that go the other way.
    @inlinable
    public var reversed: FiveTuple {
        FiveTuple(transport: transport, source: destination, destination: source)
    }

    /// Gives one value for this tuple and its reverse, so that one key finds both ways: the smaller endpoint first.
    @inlinable
    public var canonical: FiveTuple { destination < source ? reversed : self }
}

extension FiveTuple: CustomStringConvertible {
    /// Prints `tcp 127.0.0.1:51514 -> 127.0.0.1:9000`.
    public var description: String { "\(transport) \(source) -> \(destination)" }
}
