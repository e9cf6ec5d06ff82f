/// The conditions under which a capture ends by itself.
public struct CaptureLimits: Hashable, Sendable {
    /// The maximum number of packets.
    public var packets = UInt64.max
    /// The maximum duration; nil for a capture without a time limit.
    public var duration: Duration?
    /// The time without packets after which a capture ends that is to end when it is quiet.
    public var quietTime: Duration = .milliseconds(200)

    /// Creates limits that are never reached.
    public init() {}
}
