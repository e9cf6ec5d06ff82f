/// Holds what a flow is told when it begins.
public struct FlowSettings: Hashable, Sendable {
    /// Bounds the time that all attempts to reach the server may take together.
    public var connectTimeout: Duration = .seconds(10)
    /// Ends a flow on which no byte has moved for this long; nil never does.
    public var idleTimeout: Duration?
    /// Bounds the unmatched bytes that echo detection keeps; 0 turns it off.
    public var echoWindow = 1 << 20
    /// Takes a downstream that is no echo of the upstream for a fault: a `mismatch` record says where it differs.
    public var expectsEcho = false
    /// Bounds how long an expected echo may take, where no idle time-out does.
    public var echoTimeout: Duration = .seconds(10)
    /// Pauses reading one side while this many bytes wait for the other one.
    public var highWatermark = 4 << 20
    /// Reads on once no more than this many bytes wait.
    public var lowWatermark = 1 << 20
    /// Bounds what one direction may hold while toxics are on it, in bytes, 128 for each piece included: a stream's
    /// source pauses there, a datagram is dropped and counted.
    public var toxicBound = 32 << 20
    /// Bounds how long the bytes of a side that has reset may take to be delivered.
    public var resetDelay: Duration = .seconds(1)
    /// Makes a record of every chunk; off where no sink wants them.
    public var recordsChunks = true

    /// Makes the defaults of a TCP flow.
    public init() {}
}
