/// Counts what became of the packets since a capture began.
public struct CaptureCounters: Hashable, Sendable {
    /// Counts the packets that the filter let through, those that were dropped included.
    ///
    /// On a loopback the kernel may show each packet twice, and libpcap leaves out one of the two.
    public var received: UInt64 = 0
    /// Counts the packets that were dropped because the kernel's buffer was full.
    public var dropped: UInt64 = 0
    /// Counts the packets that the interface or its driver dropped.
    public var droppedByInterface: UInt64 = 0

    /// Makes counters that stand at zero.
    public init() {}
}

/// Makes a count of 64 bits out of one of 32 that wraps around.
struct WideCounter {
    private(set) var total: UInt64 = 0
    private var last: UInt32 = 0

    /// Takes what the narrow counter says now; it must not have gone round more than once since the last time.
    mutating func update(_ value: UInt32) {
        total &+= UInt64(value &- last)
        last = value
    }
}
