public import WeirWire

/// Renders records into bytes; whoever owns the descriptor writes them.
public protocol Sink: Sendable {
    /// Says which records the sink wants.
    var interest: Interest { get }

    /// Says whether the sink shows which chunks are echoes; where no sink does, nobody looks for them.
    var showsEchoes: Bool { get }

    /// Says of which chunks the sink looks at bytes though it shows none; nil where its interest says all.
    var demand: ByteDemand? { get }

    /// Renders what comes before the first record of a file.
    ///
    /// - Parameters:
    ///   - time: the time, in nanoseconds since 1970 UTC.
    ///   - output: where the rendering goes.
    mutating func begin(at time: Int64, into output: inout ByteBuffer)

    /// Renders one record, whole lines or whole blocks only.
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
    /// Says that echoes are shown wherever chunks are.
    public var showsEchoes: Bool { interest >= .chunks }

    /// Looks at no bytes beyond its interest.
    public var demand: ByteDemand? { nil }

    /// Renders nothing.
    public mutating func begin(at time: Int64, into output: inout ByteBuffer) {}

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
