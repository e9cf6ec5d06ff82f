/// The key of one flow's packets in one direction on one leg: transport, source and destination.
@frozen
public struct FiveTuple: Hashable, Sendable {
    /// The transport.
    public var transport: Transport
    /// The endpoint that sends the packets.
    public var source: Endpoint
    /// The endpoint that receives the packets.
    public var destination: Endpoint

    /// Creates a tuple from its parts.
    @inlinable
    public init(transport: Transport, source: Endpoint, destination: Endpoint) {
        self.transport = transport
        self.source = source
        self.destination = destination
    }

    /// The tuple of the opposite direction.
    @inlinable
    public var reversed: FiveTuple {
        FiveTuple(transport: transport, source: destination, destination: source)
    }

    /// The same value for this tuple and its reverse, as one key for both directions: the smaller endpoint first.
    @inlinable
    public var canonical: FiveTuple { destination < source ? reversed : self }
}

extension FiveTuple: CustomStringConvertible {
    /// The text, such as `tcp 127.0.0.1:51514 -> 127.0.0.1:9000`.
    public var description: String { "\(transport) \(source) -> \(destination)" }
}
