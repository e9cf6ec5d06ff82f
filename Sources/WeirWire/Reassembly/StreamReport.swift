/// Says what one direction of a TCP flow was made of, and what was not as it should be.
///
/// Offsets count from the byte behind the SYN, or from the first byte captured where there was no SYN.
public struct StreamReport: Hashable, Sendable {
    /// Counts segments that carry bytes.
    public internal(set) var segments = 0
    /// Counts bytes given in order.
    public internal(set) var bytes = 0
    /// Says that the stream's SYN was captured; without it, bytes before the first one captured are not known of.
    public internal(set) var hasStart = false
    /// Says that the sender's FIN was captured.
    public internal(set) var hasEnd = false
    /// Says that the sender reset the flow.
    public internal(set) var hasReset = false
    /// Counts segments that came before one that belongs before them.
    public internal(set) var outOfOrder = 0
    /// Counts segments that carry bytes which were there already, keep-alives left out.
    public internal(set) var retransmissions = 0
    /// Counts those bytes.
    public internal(set) var retransmittedBytes = 0
    /// Counts segments that only ask whether the other side is there.
    ///
    /// Source: RFC 9293 section 3.8.4.
    public internal(set) var keepAlives = 0
    /// Holds where the same byte was sent twice with different values.
    public internal(set) var conflicts = OffsetRanges()
    /// Counts retransmitted bytes that were not compared: what they repeat is no longer kept.
    public internal(set) var uncompared = 0
    /// Holds which bytes were not captured.
    public internal(set) var gaps = OffsetRanges()
    /// Counts the gaps that were given up since memory was short; their bytes may have come later.
    public internal(set) var gapsOfLimit = 0
    /// Counts bytes that came after their gap was given up.
    public internal(set) var late = 0
    /// Holds which bytes are missing since packets were captured with a limit on their length.
    public internal(set) var cut = OffsetRanges()
    /// Counts bytes before the stream's start.
    public internal(set) var beforeStart = 0
    /// Counts bytes behind the sender's FIN.
    public internal(set) var behindEnd = 0
    /// Counts bytes that the other side acknowledged, but that were not captured, at the stream's end.
    public internal(set) var missingAtEnd = 0
    /// Counts SYNs with another number than the stream's.
    public internal(set) var otherStarts = 0

    /// Creates the report of a stream of which nothing was seen.
    public init() {}

    /// Says that the bytes given are all that were sent, and were sent with one value each, as far as can be known.
    public var isWhole: Bool {
        hasStart && gaps.isEmpty && cut.isEmpty && conflicts.isEmpty && uncompared == 0 && beforeStart == 0
            && behindEnd == 0 && missingAtEnd == 0 && otherStarts == 0
    }
}
