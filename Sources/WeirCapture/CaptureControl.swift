import Glibc
import Synchronization

/// A thread-safe handle to end a live capture from another thread.
public final class CaptureControl: Sendable {
    /// The way in which a capture is to end.
    enum Order: Int, AtomicRepresentable, Comparable {
        case goOn
        /// End when nothing has arrived for a while.
        case endWhenQuiet
        /// End now, with the packets that have arrived.
        case end

        static func < (left: Order, right: Order) -> Bool { left.rawValue < right.rawValue }
    }

    private let current = Atomic<Order>(.goOn)
    private let bell: (reader: Int32, writer: Int32)

    /// Creates the control of a capture.
    public init() {
        var ends: [Int32] = [-1, -1]
        // If no descriptor is left, the loop still checks once a second.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        bell = (ends[0], ends[1])
    }

    deinit {
        if bell.reader >= 0 { close(bell.reader) }
        if bell.writer >= 0 { close(bell.writer) }
    }

    /// Ends the capture; packets that have arrived until now are still delivered.
    public func end() { give(.end) }

    /// Ends the capture once no packet has arrived for a while that is a reason to continue.
    public func endWhenQuiet() { give(.endWhenQuiet) }

    var order: Order { current.load(ordering: .acquiring) }

    /// A descriptor for poll(2) that becomes readable with a new order.
    var signal: Int32 { bell.reader }

    /// Resets `signal`, so that it waits for the next order.
    func clear() {
        var byte: UInt8 = 0
        while read(bell.reader, &byte, 1) > 0 {}
    }

    private func give(_ order: Order) {
        guard current.max(order) else { return }
        var byte: UInt8 = 0
        write(bell.writer, &byte, 1)
    }
}

extension Atomic where Value == CaptureControl.Order {
    /// Raises the order, and returns whether it has changed.
    fileprivate borrowing func max(_ order: Value) -> Bool {
        var known = load(ordering: .acquiring)
        while known < order {
            let (isDone, now) = weakCompareExchange(expected: known, desired: order, ordering: .acquiringAndReleasing)
            if isDone { return true }
            known = now
        }
        return false
    }
}
