public import WeirWire

/// What a socket of a flow with TLS sent or received, as it was on the wire: for outputs that want the encrypted bytes.
///
/// A flow has such records from its beginning or not at all. They are of each leg's own stream: handshakes and alerts are in it, and what
/// toxics did is done.
public enum WireRecord: Hashable, Sendable {
    /// The flow's sockets are recorded; this precedes every other record of the flow.
    case opened
    /// Bytes were received, or the kernel took them.
    case bytes(WireBytes)
    /// Secrets are known, before the record of the first bytes that they decrypt: lines of the NSS Key Log Format, each with its end.
    case secrets(FlowLeg, [UInt8])
    /// The end that sends in a direction has sent its FIN.
    case finished(FlowLeg, Direction)
    /// The end that sends in a direction has reset the connection.
    case reset(FlowLeg, Direction)
    /// The flow's sockets are closed; this follows every other record of the flow.
    case closed
}

/// Bytes of one direction of a leg, as they were on the wire.
public struct WireBytes: Hashable, Sendable {
    /// The leg.
    public var leg: FlowLeg
    /// The direction.
    public var direction: Direction
    /// The number of bytes before these on the same leg in the same direction.
    public var offset: UInt64
    /// The number of bytes.
    public var length: Int
    /// The offset of the bytes in `RecordBatch.bytes`; nil while they are in no batch.
    public var bytesOffset: Int?

    /// Creates the description.
    public init(leg: FlowLeg, direction: Direction, offset: UInt64, length: Int) {
        (self.leg, self.direction, self.offset, self.length) = (leg, direction, offset, length)
    }
}
