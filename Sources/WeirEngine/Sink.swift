public import WeirWire

/// A renderer of records into bytes; the owner of the descriptor writes them.
public protocol Sink: Sendable {
    /// The records that the sink wants.
    var interest: Interest { get }

    /// Whether the sink shows which chunks are echoes; if no sink does, echo detection is off.
    var showsEchoes: Bool { get }

    /// The messages that the sink wants; it must want chunks as well.
    var messages: MessageInterest { get }

    /// Whether the sink wants what the sockets of flows with TLS sent and received, encrypted as it was.
    var wantsWire: Bool { get }

    /// Renders the bytes before the first record of a file.
    ///
    /// - Parameters:
    ///   - time: the time, in ns since 1970 UTC.
    ///   - output: receives the rendering.
    mutating func begin(at time: Int64, into output: inout ByteBuffer)

    /// Renders one record, whole lines or whole blocks only.
    ///
    /// - Parameters:
    ///   - record: what happened.
    ///   - bytes: the chunk's bytes; empty if the record has none or no sink wants them.
    ///   - output: receives the rendering.
    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer)

    /// Renders the counts of what was left out because the sink fell behind.
    mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer)

    /// Renders the bytes after the last record.
    mutating func finish(into output: inout ByteBuffer)
}

extension Sink {
    /// By default, whether chunks are shown.
    public var showsEchoes: Bool { interest >= .chunks }

    /// By default none.
    public var messages: MessageInterest { .none }

    /// By default not.
    public var wantsWire: Bool { false }

    /// Renders nothing.
    public mutating func begin(at time: Int64, into output: inout ByteBuffer) {}

    /// Renders nothing.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {}

    /// Renders nothing.
    public mutating func finish(into output: inout ByteBuffer) {}
}

/// The records that a sink wants: each level includes the previous one.
public enum Interest: Int, Comparable, Sendable {
    /// How flows begin and end, and errors.
    case flows
    /// Every chunk too, with its length.
    case chunks
    /// Every chunk with its bytes.
    case bytes

    /// Returns whether one level includes less than another.
    public static func < (left: Interest, right: Interest) -> Bool { left.rawValue < right.rawValue }
}

/// The messages that a sink wants: each level includes the previous one.
public enum MessageInterest: Int, Comparable, Sendable {
    /// No record of a message.
    case none
    /// A record of each message, with the meaning of the whole.
    case summaries
    /// Messages with all their fields, also those that the next chunk continues.
    case fields

    /// Returns whether one level includes less than another.
    public static func < (left: MessageInterest, right: MessageInterest) -> Bool { left.rawValue < right.rawValue }
}
