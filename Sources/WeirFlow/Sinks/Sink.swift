public import WeirWire

/// Renders records into bytes; whoever owns the descriptor writes them.
public protocol Sink: Sendable {
    /// Says which records the sink wants.
    var interest: Interest { get }

    /// Renders one record, whole lines only.
    ///
    /// - Parameters:
    ///   - record: what happened.
    ///   - bytes: the chunk's bytes; empty where the record has none or no sink wants them.
    ///   - output: where the rendering goes.
    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer)

    /// Renders what was left out because the sink fell behind.
    mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer)

    /// Renders what comes after the last record.
    mutating func finish(into output: inout ByteBuffer)
}

extension Sink {
    /// Renders nothing.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {}

    /// Renders nothing.
    public mutating func finish(into output: inout ByteBuffer) {}
}

/// Says which records a sink wants: each level includes the one before.
public enum Interest: Int, Comparable, Sendable {
    /// How flows begin and end, and what goes wrong.
    case flows
    /// Every chunk too, by its length.
    case chunks
    /// Every chunk with its bytes.
    case bytes

    /// Orders by how much is wanted.
    public static func < (left: Interest, right: Interest) -> Bool { left.rawValue < right.rawValue }
}
