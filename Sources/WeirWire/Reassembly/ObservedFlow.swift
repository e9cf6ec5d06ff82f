/// Counts the packets of one flow on one leg, as a capture shows them.
///
/// The side that sent the SYN is the client; where none was captured, the side that sent the first packet.
@frozen
public struct ObservedFlow: Hashable, Sendable {
    /// Names who opened the flow.
    public internal(set) var client: Endpoint
    /// Names the other side.
    public internal(set) var server: Endpoint
    /// Names what carries the flow.
    public internal(set) var transport: Transport
    @usableFromInline var progress: TCPProgress

    /// Counts packets from the client.
    public internal(set) var packetsUp = 0
    /// Counts packets from the server.
    public internal(set) var packetsDown = 0
    /// Counts bytes of whole frames from the client, with their original lengths.
    public internal(set) var bytesUp = 0
    /// Counts bytes of whole frames from the server, with their original lengths.
    public internal(set) var bytesDown = 0
    @usableFromInline var earliest = Int64.max
    @usableFromInline var latest = Int64.min

    init(_ tuple: FiveTuple) {
        client = tuple.source
        server = tuple.destination
        transport = tuple.transport
        progress = TCPProgress()
    }
}

extension ObservedFlow {
    /// Counts packets both ways.
    @inlinable
    public var packets: Int { packetsUp + packetsDown }

    /// Counts bytes both ways.
    @inlinable
    public var bytes: Int { bytesUp + bytesDown }

    /// Gives the time of the earliest packet in nanoseconds since 1970 UTC; nil where no packet has one.
    @inlinable
    public var start: Int64? { earliest <= latest ? earliest : nil }

    /// Gives the nanoseconds from the earliest packet to the latest; nil where no packet has a time.
    @inlinable
    public var duration: UInt64? { earliest <= latest ? UInt64(bitPattern: latest &- earliest) : nil }

    /// Says how the flow ended, if it is one of TCP.
    public var close: FlowClose? { transport == .tcp ? progress.close : nil }

    /// Gives the number that a side's stream begins with, that of its SYN, as far as it is known.
    public func firstNumber(of side: Direction) -> UInt32? { progress.firstNumber(of: side) }

    /// Gives the flow's tuple as the client's packets have it.
    @inlinable
    public var tuple: FiveTuple { FiveTuple(transport: transport, source: client, destination: server) }

    /// Says which way a packet of this flow goes; nil when it is not one of this flow.
    @inline(__always)
    func direction(of tuple: FiveTuple) -> Direction? {
        guard tuple.transport == transport else { return nil }
        if tuple.source == client, tuple.destination == server { return .upstream }
        return tuple.source == server && tuple.destination == client ? .downstream : nil
    }

    /// Counts a packet.
    @inline(__always)
    mutating func count(_ length: Int, _ direction: Direction, at time: Int64?) {
        if direction == .upstream {
            packetsUp &+= 1
            bytesUp &+= length
        } else {
            packetsDown &+= 1
            bytesDown &+= length
        }
        guard let time else { return }
        if time < earliest { earliest = time }
        if time > latest { latest = time }
    }

    /// Gives the flow with client and server in each other's place, and all counts with them.
    public var turned: ObservedFlow {
        var flow = self
        flow.swapSides()
        return flow
    }

    /// Makes the server the client: its SYN came after a packet of the other side.
    mutating func swapSides() {
        swap(&client, &server)
        swap(&packetsUp, &packetsDown)
        swap(&bytesUp, &bytesDown)
        progress.swapSides()
    }
}
