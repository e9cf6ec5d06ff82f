import Glibc
import WeirEngine
import WeirWire

#if LiveCapture
// The time types of C are found in the first module that includes them.
import CPcap
#endif

/// The loop that reads packets and delivers them until it must end.
///
/// One thread does everything: packets go from the kernel's buffer to the receiver, which collects and writes them.
public struct CaptureLoop: ~Copyable, Sendable {
    /// The maximum number of packets delivered before the receiver may write.
    private static let packetsAtOnce = 32
    /// The maximum time in ns that a capture continues after it was told to end.
    private static let patience: Int64 = 5_000_000_000
    private static let second: Int64 = 1_000_000_000
    /// The interval in ns at which a receiver with waiting packets is called.
    private static let shortWait: Int64 = 10_000_000
    /// The interval in ns at which the kernel's counts are read while packets arrive.
    private static let noteInterval: Int64 = 100_000_000

    private var handle: CaptureHandle
    private let control: CaptureControl
    private let limits: CaptureLimits
    private var progress: CaptureProgress
    /// The time of the last packet, in nanoseconds since 1970 UTC.
    private var lastTime: Int64 = 0

    /// Creates the loop of an open capture.
    public init(_ handle: consuming CaptureHandle, limits: CaptureLimits = CaptureLimits(), control: CaptureControl) {
        self.handle = handle
        self.limits = limits
        self.control = control
        progress = CaptureProgress(began: Self.now(CLOCK_REALTIME))
    }

    /// Captures until a limit is reached, the control or the receiver ends it, or the interface is gone.
    ///
    /// - Parameter receiver: The receiver of the packets.
    /// - Returns: The final progress, and the error that ended the capture.
    public mutating func run(_ receiver: inout some PacketReceiver & ~Copyable) -> (CaptureProgress, CaptureError?) {
        var failure: CaptureError?
        do {
            try readAll(&receiver)
        } catch {
            failure = error
            readRest(&receiver)
        }
        receiver.pause(isIdle: true)
        count()
        return (progress, failure)
    }

    /// Reads the packets from before an interface was gone, which are in the kernel's buffer once its batch is over.
    private mutating func readRest(_ receiver: inout some PacketReceiver & ~Copyable) {
        poll(nil, 0, 2 * Int32(CaptureSource.batchTime))
        while !receiver.hasEnded, progress.packets < limits.packets {
            guard let count = try? read(into: &receiver), count > 0 else { return }
        }
    }

    private mutating func readAll(_ receiver: inout some PacketReceiver & ~Copyable) throws(CaptureError) {
        let deadline = limits.duration.map { Self.now(CLOCK_MONOTONIC) &+ $0.inNanoseconds } ?? .max
        var nextNote = Int64.min
        var ending: Ending?
        while !receiver.hasEnded {
            let count = try read(into: &receiver)
            if progress.packets >= limits.packets { return }
            let now = Self.now(CLOCK_MONOTONIC)
            let order = now >= deadline ? .end : control.order
            if order > .goOn {
                let began = ending ?? Ending(at: now, Self.now(CLOCK_REALTIME))
                if ending == nil { receiver.prepareToEnd(at: began.time) }
                ending = began
                if isOver(order, since: began, now: now, hasMore: count > 0, &receiver) { return }
            }
            receiver.pause(isIdle: count == 0)
            if now >= nextNote {
                self.count()
                receiver.note(progress)
                nextNote = now &+ Self.noteInterval
            }
            if count == 0 {
                let patience = receiver.isWaiting ? Self.shortWait : Self.second
                wait(until: min(now &+ patience, deadline), now, isEnding: ending != nil)
            }
        }
    }

    /// The time at which the capture was told to end, by the monotonic and by the wall clock.
    private struct Ending {
        var instant: Int64
        var time: Int64

        init(at instant: Int64, _ time: Int64) {
            self.instant = instant
            self.time = time
        }
    }

    private mutating func read(into receiver: inout some PacketReceiver & ~Copyable) throws(CaptureError) -> Int {
        let left = limits.packets - progress.packets
        var last = lastTime
        let count = try handle.read(limit: Int(min(UInt64(Self.packetsAtOnce), left))) { packet, bytes in
            last = packet.timestamp
            receiver.receive(packet, bytes)
        }
        lastTime = last
        progress.packets += UInt64(count)
        return count
    }

    /// Returns whether every wanted packet has arrived.
    ///
    /// The kernel holds a packet back for the time of a batch, and many packets may still be unread.
    private func isOver(
        _ order: CaptureControl.Order,
        since ending: Ending,
        now: Int64,
        hasMore: Bool,
        _ receiver: inout some PacketReceiver & ~Copyable
    ) -> Bool {
        let batch = 2 * Int64(CaptureSource.batchTime) * 1_000_000
        let elapsed = now &- ending.instant
        if elapsed >= Self.patience { return true }
        if order == .end { return elapsed >= batch && (!hasMore || lastTime > ending.time) }
        let quiet = limits.quietTime.inNanoseconds
        guard elapsed >= quiet, !hasMore || lastTime &- receiver.lastSign >= quiet else { return false }
        return Self.now(CLOCK_REALTIME) &- receiver.lastSign >= quiet &+ batch
    }

    private func wait(until time: Int64, _ now: Int64, isEnding: Bool) {
        let milliseconds = isEnding ? 5 : max(0, (time &- now) / 1_000_000 + 1)
        var entries = [
            pollfd(fd: handle.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isEnding ? -1 : control.signal, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2, Int32(clamping: milliseconds))
    }

    private mutating func count() {
        progress.now = Self.now(CLOCK_REALTIME)
        // If the interface is gone, the last counts remain.
        if let counters = try? handle.counters() { progress.counters = counters }
    }

    private static func now(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* second &+ Int64(time.tv_nsec)
    }
}
