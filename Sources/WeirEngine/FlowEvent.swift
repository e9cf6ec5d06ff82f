public import WeirWire

/// Something that happened to a flow.
///
/// A direction identifies a stream: `received(.upstream)` came from the client, `sent(.upstream, …)` went to the
/// server.
public enum FlowEvent: Hashable, Sendable {
    /// A dial is under way from an egress endpoint (nil if the kernel chose none) to a server.
    case dialed(egress: Endpoint?, server: Endpoint)
    /// The dial succeeded.
    case connected
    /// The dial failed with an error number.
    case connectFailed(ErrorNumber)
    /// A chunk was read; its bytes are passed with the event.
    case received(Direction)
    /// A datagram was longer than the relay's buffer, and is lost; `read` is the number of bytes that were read of it.
    case truncated(Direction, read: Int)
    /// A datagram of this many bytes came to the egress from an endpoint other than the server, and is not relayed.
    case foreign(from: Endpoint, bytes: Int)
    /// The source of a direction has sent its last byte, and all of them were read.
    case finished(Direction)
    /// The source of a direction has reset; bytes that it sent before may still be read, until `finished`.
    case aborted(Direction, ErrorNumber)
    /// The kernel took a number of the offered bytes, which are passed with the event; if none are, the front of the
    /// queue was offered.
    case sent(Direction, Int)
    /// The kernel can take bytes of a direction again.
    case writable(Direction)
    /// The send of a datagram returned an error, and the datagram, which is passed with the event, is lost.
    case sendFailed(Direction, ErrorNumber)
    /// The kernel has no room for a datagram now; the flow keeps it (it is passed with the event) until `writable`.
    case sendBlocked(Direction)
    /// The answer to an earlier datagram to the server was an error.
    case refused(ErrorNumber)
    /// The requested reset of a direction's receiver is done; the kernel still held `unsent` bytes for it.
    case resetDone(Direction, unsent: Int)
    /// The kernel holds a number of bytes of a direction that are lost: the relay will not read them, or their receiver
    /// has reset before they were sent.
    case lost(Direction, bytes: Int)
    /// The kernel dropped datagrams of a direction before they could be read, because the receive buffer was full.
    case overflowed(Direction, datagrams: Int)
    /// The instant of an earlier `wake` action has come.
    case wake
    /// Another flow needs this one's place.
    case evicted
    /// A request to close the flow arrived: both sides see its end, not a reset.
    case dismissed
    /// The relay ends.
    case shutdown
}
