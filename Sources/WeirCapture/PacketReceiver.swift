/// A receiver of the packets of a live capture, on the thread that reads them.
public protocol PacketReceiver: ~Copyable {
    /// Takes a packet; its bytes are valid only during the call.
    mutating func receive(_ packet: LivePacket, _ bytes: RawSpan)

    /// Called after packets were delivered, with whether no other is waiting: the time to pass on collected packets.
    mutating func pause(isIdle: Bool)

    /// Called with the progress of the capture: ten times a second while packets arrive, otherwise once.
    mutating func note(_ progress: CaptureProgress)

    /// Whether the receiver keeps packets that it must pass on soon, even if no other arrives.
    var isWaiting: Bool { get }

    /// Whether no more packets are wanted.
    var hasEnded: Bool { get }

    /// Called when the capture is to end once it is quiet, with the time of that order in nanoseconds since 1970 UTC.
    mutating func prepareToEnd(at time: Int64)

    /// The time of the last packet that is a reason to continue, in nanoseconds since 1970 UTC.
    ///
    /// Read only after `prepareToEnd`.
    var lastSign: Int64 { get }
}

/// The description of a packet as it arrives from the kernel.
@frozen
public struct LivePacket: Hashable, Sendable {
    /// The time in nanoseconds since 1970 UTC.
    public var timestamp: Int64
    /// The packet's length on the wire in bytes.
    public var originalLength: UInt32

    /// Creates the description of a packet.
    @inlinable
    public init(timestamp: Int64, originalLength: UInt32) {
        self.timestamp = timestamp
        self.originalLength = originalLength
    }
}

/// The progress of a capture.
public struct CaptureProgress: Hashable, Sendable {
    /// The number of packets delivered.
    public var packets: UInt64 = 0
    /// The kernel's counts.
    public var counters = CaptureCounters()
    /// The start of the capture, in nanoseconds since 1970 UTC.
    public var began: Int64
    /// The time of the counts, in nanoseconds since 1970 UTC.
    public var now: Int64

    /// Creates the progress of a capture that begins.
    public init(began: Int64) {
        self.began = began
        self.now = began
    }
}
