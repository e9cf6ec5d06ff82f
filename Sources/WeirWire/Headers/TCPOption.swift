/// One option of a TCP header.
///
/// An option of a known kind with a length that its kind does not allow is `other`.
public enum TCPOption: Hashable, Sendable {
    /// The end of the list; the rest is padding.
    case endOfList
    /// Padding of one byte.
    case noOperation
    /// The largest payload that the sender accepts, in bytes.
    case maximumSegmentSize(UInt16)
    /// The number of bits by which the sender's windows are shifted.
    case windowScale(UInt8)
    /// The sender's support for selective acknowledgments.
    case selectiveAcknowledgmentPermitted
    /// The ranges of bytes that arrived out of order.
    case selectiveAcknowledgment(TCPSelectiveAcknowledgment)
    /// The sender's clock, and the other side's clock that it echoes.
    case timestamps(value: UInt32, echo: UInt32)
    /// An option of any other kind, with the range of its content in bytes from the start of the options.
    case other(kind: UInt8, content: Range<Int>)
    /// The start of bytes that are no valid options: a length is missing, too small or too large.
    case malformed(kind: UInt8, at: Int)
}

extension TCPOption {
    /// The kinds of options, with their numbers.
    ///
    /// Source: IANA, TCP Option Kind Numbers.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// The end of the list (RFC 9293).
        case endOfList = 0
        /// Padding (RFC 9293).
        case noOperation = 1
        /// The largest payload (RFC 9293).
        case maximumSegmentSize = 2
        /// The window scale (RFC 7323).
        case windowScale = 3
        /// The permission of selective acknowledgments (RFC 2018).
        case selectiveAcknowledgmentPermitted = 4
        /// A selective acknowledgment (RFC 2018).
        case selectiveAcknowledgment = 5
        /// An echo, from before there were timestamps (RFC 1072).
        case echo = 6
        /// The reply to an echo (RFC 1072).
        case echoReply = 7
        /// Timestamps: two clocks (RFC 7323).
        case timestamps = 8
        /// An MD5 digest, as BGP uses it (RFC 2385).
        case md5Signature = 19
        /// A request for an initial rate (RFC 4782).
        case quickStart = 27
        /// The time after which the sender gives up (RFC 5482).
        case userTimeout = 28
        /// The authentication of the segment (RFC 5925).
        case authentication = 29
        /// Multipath TCP: several paths in one connection (RFC 8684).
        case multipath = 30
        /// The cookie that lets a SYN carry data (RFC 7413).
        case fastOpenCookie = 34
        /// Byte counters by ECN mark, order 0 (RFC 9768).
        case accurateECNOrder0 = 172
        /// Byte counters by ECN mark, order 1 (RFC 9768).
        case accurateECNOrder1 = 174
        /// An experiment (RFC 6994).
        case experiment1 = 253
        /// Another experiment (RFC 6994).
        case experiment2 = 254
    }

    init(kind: UInt8, in bytes: OptionBytes, range: Range<Int>) {
        switch (Kind(rawValue: kind), range.count) {
        case (.maximumSegmentSize, 2): self = .maximumSegmentSize(UInt16(truncatingIfNeeded: bytes.number(in: range)))
        case (.windowScale, 1): self = .windowScale(bytes[range.lowerBound])
        case (.selectiveAcknowledgmentPermitted, 0): self = .selectiveAcknowledgmentPermitted
        case (.selectiveAcknowledgment, 8), (.selectiveAcknowledgment, 16), (.selectiveAcknowledgment, 24),
            (.selectiveAcknowledgment, 32):
            self = .selectiveAcknowledgment(TCPSelectiveAcknowledgment(in: bytes, range: range))
        case (.timestamps, 8):
            let number = bytes.number(in: range)
            self = .timestamps(
                value: UInt32(truncatingIfNeeded: number >> 32),
                echo: UInt32(truncatingIfNeeded: number)
            )
        default: self = .other(kind: kind, content: range)
        }
    }
}

/// The one to four ranges of bytes that a receiver has beyond those that it acknowledges.
///
/// Source: RFC 2018 section 3.
public struct TCPSelectiveAcknowledgment: Hashable, Sendable {
    /// One range of sequence numbers, without its end.
    public struct Block: Hashable, Sendable {
        /// The first number.
        public var start: UInt32
        /// The number after the last.
        public var end: UInt32
    }

    /// The number of ranges, 1 to 4.
    public let count: Int
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(in bytes: OptionBytes, range: Range<Int>) {
        func word(_ index: Int) -> UInt64 {
            let start = range.lowerBound &+ index &* 8
            return start &+ 8 <= range.upperBound ? bytes.number(in: start..<(start &+ 8)) : 0
        }
        self.count = range.count / 8
        self.words = (word(0), word(1), word(2), word(3))
    }

    /// Reads one range.
    ///
    /// - Precondition: `index` is between 0 and `count - 1`.
    public subscript(index: Int) -> Block {
        precondition(index >= 0 && index < count, "an index past the blocks")
        let word =
            switch index {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return Block(start: UInt32(truncatingIfNeeded: word >> 32), end: UInt32(truncatingIfNeeded: word))
    }

    /// Compares the ranges.
    public static func == (left: Self, right: Self) -> Bool { left.count == right.count && left.words == right.words }

    /// Feeds the ranges to a hasher.
    public func hash(into hasher: inout Hasher) {
        for index in 0..<count { hasher.combine(self[index]) }
    }
}
