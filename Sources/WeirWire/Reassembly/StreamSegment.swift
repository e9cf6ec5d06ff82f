/// Holds what reassembly and the flow table need of a TCP segment, besides its bytes.
@frozen
public struct StreamSegment: Hashable, Sendable {
    /// Holds the number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// Holds the number of the byte that the sender waits for; counts only with ACK.
    public var acknowledgmentNumber: UInt32
    /// Says what the segment means.
    public var flags: TCPFlags
    /// Holds the payload's length on the wire in bytes, which can be more than was captured.
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
    /// Says whether this asks for a connection and answers no such question.
    @inlinable
    var isFirstSYN: Bool { flags.intersection([.syn, .ack]) == .syn }
}

/// Returns how far one sequence number is ahead of another; less than 0 where it is behind.
///
/// Numbers wrap: of the two ways around, the shorter one is meant.
///
/// Source: RFC 9293 section 3.4.
@inlinable
func sequenceDistance(from start: UInt32, to end: UInt32) -> Int {
    Int(Int32(bitPattern: end &- start))
}
