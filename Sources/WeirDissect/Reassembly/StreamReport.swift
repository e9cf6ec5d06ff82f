/// The report of one direction of a TCP flow: its contents and its irregularities.
///
/// Offsets count from the byte after the SYN, or without a SYN from the first captured byte.
public struct StreamReport: Hashable, Sendable {
    /// The number of segments with a payload.
    public internal(set) var segments = 0
    /// The number of bytes delivered in order.
    public internal(set) var bytes = 0
    /// Whether the stream's SYN was captured; without it, bytes before the first captured one are unknown.
    public internal(set) var hasStart = false
    /// Whether the sender's FIN was captured.
    public internal(set) var hasEnd = false
    /// Whether the sender reset the flow.
    public internal(set) var hasReset = false
    /// The number of segments that arrived before an earlier one in the stream.
    public internal(set) var outOfOrder = 0
    /// The number of segments with bytes that were there already, without keep-alives.
    public internal(set) var retransmissions = 0
    /// The number of those bytes.
    public internal(set) var retransmittedBytes = 0
    /// The number of segments that only probe whether the other side is there.
    ///
    /// Source: RFC 9293 section 3.8.4.
    public internal(set) var keepAlives = 0
    /// The ranges in which the same byte was sent twice with different values.
    public internal(set) var conflicts = OffsetRanges()
    /// The number of retransmitted bytes that were not compared, because the earlier ones were no longer kept.
    public internal(set) var uncompared = 0
    /// The ranges of bytes that were not captured.
    public internal(set) var gaps = OffsetRanges()
    /// The number of gaps closed because memory was short; their bytes may have arrived later.
    public internal(set) var gapsOfLimit = 0
    /// The number of bytes that arrived after their gap was closed.
    public internal(set) var late = 0
    /// The ranges of bytes that are missing because the capture limited the length of packets.
    public internal(set) var cut = OffsetRanges()
    /// The number of bytes before the stream's start.
    public internal(set) var beforeStart = 0
    /// The number of bytes after the sender's FIN.
    public internal(set) var behindEnd = 0
    /// The number of bytes at the stream's end that the other side acknowledged, but that were not captured.
    public internal(set) var missingAtEnd = 0
    /// The number of SYNs with another number than the stream's.
    public internal(set) var otherStarts = 0

    /// Creates the report of a stream of which nothing was seen yet.
    public init() {}

    /// Whether the delivered bytes are all that were sent, each with one value, as far as can be known.
    public var isWhole: Bool {
        hasStart && gaps.isEmpty && cut.isEmpty && conflicts.isEmpty && uncompared == 0 && beforeStart == 0
            && behindEnd == 0 && missingAtEnd == 0 && otherStarts == 0
    }
}
