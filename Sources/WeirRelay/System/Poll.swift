import Glibc
import WeirEngine
import WeirWire

/// Waiting with `poll(2)`: unlike epoll it accepts regular files, which are always ready.
enum Poll {
    /// Makes an entry; if `events` is nil, the descriptor is left out, so that not even its hang-up is reported.
    static func entry(_ descriptor: Int32, _ events: Int32?) -> pollfd {
        guard let events else { return pollfd(fd: -1, events: 0, revents: 0) }
        return pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
    }

    /// Waits until an entry is ready.
    ///
    /// - Parameters:
    ///   - entries: the descriptors and events to wait for; `wait` fills in their `revents`.
    ///   - timeout: how long to wait, rounded up to milliseconds; nil waits for ever.
    /// - Returns: the number of ready entries; 0 after the time-out or, rarely, after a signal.
    /// - Throws: `SystemError` if the system has no memory for it.
    static func wait(_ entries: inout [pollfd], timeout: Duration?) throws(SystemError) -> Int {
        let count = poll(&entries, nfds_t(entries.count), milliseconds(timeout))
        guard count < 0 else { return Int(count) }
        let error = ErrorNumber.current
        guard error.rawValue == EINTR else { throw SystemError("wait for input and output", error) }
        for index in entries.indices { entries[index].revents = 0 }
        return 0
    }

    /// Returns a time-out as `poll(2)` takes it: in whole milliseconds, not shorter than it is, and -1 for ever.
    static func milliseconds(_ timeout: Duration?) -> Int32 {
        guard let timeout else { return -1 }
        let nanoseconds = min(max(timeout.inNanoseconds, 0), Int64(Int32.max) * 1_000_000)
        return Int32((nanoseconds + 999_999) / 1_000_000)
    }
}

extension pollfd {
    /// Returns whether one of the events occurred, or an error or a hang-up, which the next system call will report.
    func isReady(for events: Int32) -> Bool {
        Int32(revents) & (events | POLLERR | POLLHUP | POLLNVAL) != 0
    }
}
