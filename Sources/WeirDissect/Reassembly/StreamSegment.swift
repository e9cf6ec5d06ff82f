public import WeirWire

/// The fields of a TCP segment for reassembly and the flow table, without its bytes.
@frozen
public struct StreamSegment: Hashable, Sendable {
    /// The sequence number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// The number of the next byte that the sender expects; valid only with ACK.
    public var acknowledgmentNumber: UInt32
    /// The control bits.
    public var flags: TCPFlags
    /// The payload's length on the wire in bytes, which may exceed the captured length.
    public var length: Int

    /// Creates a segment from its parts.
    ///
    /// - Precondition: `length` is between 0 and 2 to the 31.
    @inlinable
    public init(sequenceNumber: UInt32, acknowledgmentNumber: UInt32 = 0, flags: TCPFlags, length: Int) {
        precondition(length >= 0 && length <= 1 << 31, "a segment's length is not that")
        self.sequenceNumber = sequenceNumber
        self.acknowledgmentNumber = acknowledgmentNumber
        self.flags = flags
        self.length = length
    }
}

extension StreamSegment {
    /// Whether this requests a connection, and does not answer such a request.
    @inlinable
    var isFirstSYN: Bool { flags.intersection([.syn, .ack]) == .syn }
}

/// Returns how far one sequence number is ahead of another; negative if it is behind.
///
/// Numbers wrap around; the result is the shorter of the two ways.
///
/// Source: RFC 9293 section 3.4.
@inlinable
func sequenceDistance(from start: UInt32, to end: UInt32) -> Int {
    Int(Int32(bitPattern: end &- start))
}
