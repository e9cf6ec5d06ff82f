/// Says when a capture ends by itself.
public struct CaptureLimits: Hashable, Sendable {
    /// Bounds the packets.
    public var packets = UInt64.max
    /// Bounds the time; nil goes on until told.
    public var duration: Duration?
    /// Says how long nothing must have come where the capture is to end when it is quiet.
    public var quietTime: Duration = .milliseconds(200)

    /// Makes limits that are never reached.
    public init() {}
}
