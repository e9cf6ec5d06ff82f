/// The settings of a flow, fixed when it begins.
public struct FlowSettings: Hashable, Sendable {
    /// The time limit for all attempts to reach the server together.
    public var connectTimeout: Duration = .seconds(10)
    /// The time without a byte after which a flow ends; nil for never.
    public var idleTimeout: Duration?
    /// The maximum number of unmatched bytes that echo detection keeps; 0 turns it off.
    public var echoWindow = 1 << 20
    /// Whether the downstream bytes must be an echo of the upstream ones: a `mismatch` record shows where they differ.
    public var expectsEcho = false
    /// The time limit for an expected echo, if no idle time-out is set.
    public var echoTimeout: Duration = .seconds(10)
    /// The number of bytes waiting for one side at which reading of the other one pauses.
    public var highWatermark = 4 << 20
    /// The number of waiting bytes at or below which reading resumes.
    public var lowWatermark = 1 << 20
    /// The maximum that one direction may hold while toxics are on it, in bytes, including 128 for each piece: a
    /// stream's source pauses there, a datagram is dropped and counted.
    public var toxicBound = 32 << 20
    /// The time limit for delivering the bytes of a side that has reset.
    public var resetDelay: Duration = .seconds(1)
    /// Whether each chunk gets a record; off if no sink wants them.
    public var recordsChunks = true

    /// Creates the defaults of a TCP flow.
    public init() {}
}
