/// Takes the packets of a live capture, on the thread that reads them.
public protocol PacketReceiver: ~Copyable {
    /// Takes a packet; its bytes are good for the call only.
    mutating func receive(_ packet: LivePacket, _ bytes: RawSpan)

    /// Is told that packets were handed on, and whether no other is waiting: the time to pass on what was gathered.
    mutating func pause(isIdle: Bool)

    /// Is told what the capture has come to: ten times a second while packets come, else once.
    mutating func note(_ progress: CaptureProgress)

    /// Says whether packets are kept that are to be passed on in a moment, although no other comes.
    var isWaiting: Bool { get }

    /// Says that no more packets are wanted.
    var hasEnded: Bool { get }

    /// Is told that the capture is to end when it is quiet, and when that was, in nanoseconds since 1970 UTC.
    mutating func prepareToEnd(at time: Int64)

    /// Says when the last packet came that is a reason to go on, in nanoseconds since 1970 UTC.
    ///
    /// It is asked only after `prepareToEnd`.
    var lastSign: Int64 { get }
}

/// Describes a packet as it comes from the kernel.
@frozen
public struct LivePacket: Hashable, Sendable {
    /// Holds nanoseconds since 1970 UTC.
    public var timestamp: Int64
    /// Holds the packet's length on the wire in bytes.
    public var originalLength: UInt32

    /// Makes the description of a packet.
    @inlinable
    public init(timestamp: Int64, originalLength: UInt32) {
        self.timestamp = timestamp
        self.originalLength = originalLength
    }
}

/// Says how far a capture has come.
public struct CaptureProgress: Hashable, Sendable {
    /// Counts the packets that were handed on.
    public var packets: UInt64 = 0
    /// Holds what the kernel counts.
    public var counters = CaptureCounters()
    /// Says when the capture began, in nanoseconds since 1970 UTC.
    public var began: Int64
    /// Says when the counts were taken, in nanoseconds since 1970 UTC.
    public var now: Int64

    /// Makes the progress of a capture that begins.
    public init(began: Int64) {
        self.began = began
        self.now = began
    }
}
