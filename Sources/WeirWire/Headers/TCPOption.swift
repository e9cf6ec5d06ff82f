/// Holds one option of a TCP header.
///
/// An option of a known kind with a length that its kind does not have is `other`.
public enum TCPOption: Hashable, Sendable {
    /// Ends the list; what follows is padding.
    case endOfList
    /// Pads.
    case noOperation
    /// Says the largest payload that the sender takes, in bytes.
    case maximumSegmentSize(UInt16)
    /// Says by how many bits the sender's windows are shifted.
    case windowScale(UInt8)
    /// Says that the sender understands selective acknowledgments.
    case selectiveAcknowledgmentPermitted
    /// Says which bytes arrived out of order.
    case selectiveAcknowledgment(TCPSelectiveAcknowledgment)
    /// Holds the sender's clock and the clock of the other side that it echoes.
    case timestamps(value: UInt32, echo: UInt32)
    /// Holds an option of any other kind: where its content is, in bytes from the start of the options.
    case other(kind: UInt8, content: Range<Int>)
    /// Says that the bytes from here on are no options: a length is missing, too small or too large.
    case malformed(kind: UInt8, at: Int)
}

extension TCPOption {
    /// Names the kinds of options by their number.
    ///
    /// Source: IANA, TCP Option Kind Numbers.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// Ends the list (RFC 9293).
        case endOfList = 0
        /// Pads (RFC 9293).
        case noOperation = 1
        /// Says the largest payload (RFC 9293).
        case maximumSegmentSize = 2
        /// Scales the window (RFC 7323).
        case windowScale = 3
        /// Permits selective acknowledgments (RFC 2018).
        case selectiveAcknowledgmentPermitted = 4
        /// Acknowledges selectively (RFC 2018).
        case selectiveAcknowledgment = 5
        /// Echoed, before there were timestamps (RFC 1072).
        case echo = 6
        /// Answered an echo (RFC 1072).
        case echoReply = 7
        /// Holds two clocks (RFC 7323).
        case timestamps = 8
        /// Carries an MD5 digest, as BGP does (RFC 2385).
        case md5Signature = 19
        /// Asks for a rate to start at (RFC 4782).
        case quickStart = 27
        /// Says after how long the sender gives up (RFC 5482).
        case userTimeout = 28
        /// Authenticates the segment (RFC 5925).
        case authentication = 29
        /// Joins several paths into a connection (RFC 8684).
        case multipath = 30
        /// Carries the cookie that lets a SYN carry data (RFC 7413).
        case fastOpenCookie = 34
        /// Counts bytes by their congestion mark, in one order (RFC 9768).
        case accurateECNOrder0 = 172
        /// Counts bytes by their congestion mark, in the other order (RFC 9768).
        case accurateECNOrder1 = 174
        /// Is an experiment (RFC 6994).
        case experiment1 = 253
        /// Is another experiment (RFC 6994).
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

/// Holds the one to four ranges of bytes that a receiver has beyond those that it acknowledges.
///
/// Source: RFC 2018 section 3.
public struct TCPSelectiveAcknowledgment: Hashable, Sendable {
    /// Holds one range of sequence numbers, the end not included.
    public struct Block: Hashable, Sendable {
        /// Holds the first number.
        public var start: UInt32
        /// Holds the number after the last.
        public var end: UInt32
    }

    /// Gives how many ranges there are, 1 to 4.
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
