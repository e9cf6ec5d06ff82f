/// The kernel's packet counts since a capture began.
public struct CaptureCounters: Hashable, Sendable {
    /// The number of packets that the filter accepted, including those that were dropped.
    ///
    /// On a loopback the kernel may show each packet twice, and libpcap discards one of the two.
    public var received: UInt64 = 0
    /// The number of packets that were dropped because the kernel's buffer was full.
    public var dropped: UInt64 = 0
    /// The number of packets that the interface or its driver dropped.
    public var droppedByInterface: UInt64 = 0

    /// Creates counters of zero.
    public init() {}
}

/// A 64-bit count, from a 32-bit count that wraps around.
struct WideCounter {
    private(set) var total: UInt64 = 0
    private var last: UInt32

    /// Creates a count of zero.
    ///
    /// - Parameter value: The narrow counter's present value.
    init(from value: UInt32 = 0) {
        last = value
    }

    /// Adds the difference to the narrow counter's new value; it may have wrapped once at most since the last call.
    mutating func update(_ value: UInt32) {
        total &+= UInt64(value &- last)
        last = value
    }
}
