public import WeirWire

/// Tells a flow what happened to it.
///
/// A direction names a stream by the way it runs: `received(.upstream)` came from the client, `sent(.upstream, …)` went
/// to the server.
public enum FlowEvent: Hashable, Sendable {
    /// A dial is under way from an egress endpoint (nil where the kernel chose none) to a server.
    case dialed(egress: Endpoint?, server: Endpoint)
    /// The dial succeeded.
    case connected
    /// The dial failed with an error number.
    case connectFailed(ErrorNumber)
    /// A chunk was read; its bytes are passed beside the event.
    case received(Direction)
    /// A datagram was longer than the relay's buffer, and is lost: the number of bytes that were read of it.
    case truncated(Direction, read: Int)
    /// A datagram of this many bytes came to the egress from another endpoint than the server, and is not relayed.
    case foreign(from: Endpoint, bytes: Int)
    /// The source of a direction has sent its last byte, and all of them were read.
    case finished(Direction)
    /// The source of a direction has reset; bytes that it sent before may still be read, until `finished`.
    case aborted(Direction, ErrorNumber)
    /// The kernel took a number of the bytes that were offered; what was offered is passed beside the event, or is the
    /// front of the queue where nothing is passed.
    case sent(Direction, Int)
    /// The kernel can take bytes of a direction again.
    case writable(Direction)
    /// The send of a datagram returned an error, and the datagram, which is passed beside the event, is lost.
    case sendFailed(Direction, ErrorNumber)
    /// The kernel has no room for a datagram now; the flow keeps it, from beside the event, until `writable`.
    case sendBlocked(Direction)
    /// An earlier datagram to the server was answered by an error.
    case refused(ErrorNumber)
    /// The reset that was asked for a direction's receiver is done; the kernel still held a number of bytes for it.
    case resetDone(Direction, unsent: Int)
    /// The kernel holds a number of bytes of a direction that nobody will get: the relay will not read them, or their
    /// receiver has reset before they were sent.
    case lost(Direction, bytes: Int)
    /// The kernel dropped datagrams of a direction before they could be read: a full receive buffer.
    case overflowed(Direction, datagrams: Int)
    /// The instant of an earlier `wake` action has come.
    case wake
    /// Another flow needs this one's place.
    case evicted
    /// Somebody who steers the relay wants the flow closed: both sides see its end, not a reset.
    case dismissed
    /// The relay ends.
    case shutdown
}
