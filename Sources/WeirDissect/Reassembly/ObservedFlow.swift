public import WeirWire

/// The counters of one flow's packets on one leg, as captured.
///
/// The client is the side that sent the SYN or, if no SYN was captured, the side that sent the first packet.
@frozen
public struct ObservedFlow: Hashable, Sendable {
    /// The endpoint that opened the flow.
    public internal(set) var client: Endpoint
    /// The other endpoint.
    public internal(set) var server: Endpoint
    /// The transport of the flow.
    public internal(set) var transport: Transport
    @usableFromInline var progress: TCPProgress

    /// The number of packets from the client.
    public internal(set) var packetsUp = 0
    /// The number of packets from the server.
    public internal(set) var packetsDown = 0
    /// The number of bytes from the client: whole frames with their original lengths.
    public internal(set) var bytesUp = 0
    /// The number of bytes from the server: whole frames with their original lengths.
    public internal(set) var bytesDown = 0
    /// The number of bytes of payload from the client in the packets, each byte of a stream counted once.
    public internal(set) var payloadUp = 0
    /// The number of bytes of payload from the server in the packets, each byte of a stream counted once.
    public internal(set) var payloadDown = 0
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
    /// The number of packets in both directions.
    @inlinable
    public var packets: Int { packetsUp + packetsDown }

    /// The number of bytes in both directions: whole frames with their original lengths.
    @inlinable
    public var bytes: Int { bytesUp + bytesDown }

    /// The number of bytes of payload in both directions, each counted once.
    @inlinable
    public var payload: Int { payloadUp + payloadDown }

    /// The time of the earliest packet in nanoseconds since 1970 UTC; nil if no packet has a time.
    @inlinable
    public var start: Int64? { earliest <= latest ? earliest : nil }

    /// The time from the earliest packet to the latest in nanoseconds; nil if no packet has a time.
    @inlinable
    public var duration: UInt64? { earliest <= latest ? UInt64(bitPattern: latest &- earliest) : nil }

    /// The state of the flow's end; nil unless it is a TCP flow.
    public var close: FlowClose? { transport == .tcp ? progress.close : nil }

    /// Returns the initial sequence number of a side, that of its SYN; nil if it is not known.
    public func firstNumber(of side: Direction) -> UInt32? { progress.firstNumber(of: side) }

    /// The flow's tuple in the client's packets.
    @inlinable
    public var tuple: FiveTuple { FiveTuple(transport: transport, source: client, destination: server) }

    /// Returns the direction of a packet of this flow; nil if the packet belongs to another flow.
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

    /// Counts the payload of a segment whose other fields were counted.
    @inline(__always)
    mutating func countPayload(of segment: StreamSegment, _ direction: Direction) {
        guard segment.length > 0 else { return }
        count(payload: progress.advance(over: segment, from: direction), direction)
    }

    /// Counts bytes of payload.
    @inline(__always)
    mutating func count(payload: Int, _ direction: Direction) {
        if direction == .upstream { payloadUp &+= payload } else { payloadDown &+= payload }
    }

    /// The flow with client and server swapped, and all counts with them.
    public var turned: ObservedFlow {
        var flow = self
        flow.swapSides()
        return flow
    }

    /// Makes the server the client, because its SYN came after a packet of the other side.
    mutating func swapSides() {
        swap(&client, &server)
        swap(&packetsUp, &packetsDown)
        swap(&bytesUp, &bytesDown)
        swap(&payloadUp, &payloadDown)
        progress.swapSides()
    }
}
