public import WeirWire

/// Something that happened to a flow.
///
/// A direction identifies a stream: `received(.upstream)` came from the client, `sent(.upstream, …)` went to the
/// server.
public enum FlowEvent: Sendable {
    /// The flow begins: this many of the server's addresses may be dialed, at least 1. A flow that is its own server
    /// dials none, and opens at once.
    case started(attempts: Int)
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
    /// TLS did something to the flow; if it failed, the flow ends.
    case tls(TLSRecord)
    /// The answer to an earlier datagram to the server was an error.
    case refused(ErrorNumber)
    /// The requested reset of a direction's receiver is done; the kernel still held `unsent` bytes for it, and
    /// `unread` bytes of its source that will not be read if this was the flow's last reset.
    case resetDone(Direction, unsent: Int, unread: Int = 0)
    /// The kernel holds a number of bytes of a direction that are lost: the relay will not read them, or their receiver
    /// has reset before they were sent.
    case lost(Direction, bytes: Int)
    /// The kernel dropped datagrams of a direction before they could be read, because the receive buffer was full.
    case overflowed(Direction, datagrams: Int)
    /// The next datagram from the server's side comes from this endpoint; nil for the server that was dialed.
    case answered(from: Endpoint?)
    /// The instant of an earlier `wake` action has come.
    case wake
    /// A full sink kept the relay from reading until this instant: that time counts as activity, and not toward the
    /// time for delivering the bytes of a side that has reset.
    case held(until: Instant)
    /// The flow's route has new toxics.
    ///
    /// An unchanged toxic stays as it is. A changed one draws its toxicity again, and is asked again about what it
    /// holds. What a removed toxic held goes on at once.
    case reconfigured(ToxicSet)
    /// A user decided about a chunk that a toxic holds.
    case decided(HeldChunk.Name, HoldDecision)
    /// The sinks want a record of each chunk from now on, or no longer.
    case chunkRecords(Bool)
    /// The flows of the relay keep too many bytes to find echoes: this one forgets its own.
    case echoesFull
    /// Another flow needs this one's place.
    case evicted
    /// A request to close the flow arrived: both sides see its end, not a reset.
    case dismissed
    /// The relay takes no new flows, and wants to end: a session with nothing left to send ends now.
    case drained
    /// The relay ends.
    case shutdown
}
