import Glibc

/// The maximum time that a test's helpers wait.
package struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    /// Creates a deadline a number of seconds from now.
    package init(seconds: Int = 30) {
        end = .now + .seconds(seconds)
    }

    /// Whether the deadline has passed.
    package var isOver: Bool { ContinuousClock.now >= end }

    /// Waits until a descriptor is ready.
    func wait(_ entries: inout [pollfd]) throws {
        while true {
            let left = ContinuousClock.now.duration(to: end)
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else { throw HelperError("the deadline is over") }
            if poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds)) > 0 { return }
        }
    }

    func wait(for descriptor: Int32, _ events: Int32) throws {
        var entries = [pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)]
        try wait(&entries)
    }
}

/// Reads once from a non-blocking descriptor; nil if nothing is there, an empty array at the end.
func readOnce(_ descriptor: Int32, _ limit: Int) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EAGAIN || errno == EINTR { return nil }
    guard count >= 0 else { throw HelperError("read: errno \(errno)") }
    return Array(bytes[..<count])
}

/// Reads `count` bytes from a non-blocking descriptor, or fewer if it ends.
func readUpTo(_ count: Int, from descriptor: Int32, until deadline: Deadline) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
        try deadline.wait(for: descriptor, POLLIN)
        guard let part = try readOnce(descriptor, min(count - bytes.count, 1 << 16)) else { continue }
        if part.isEmpty { break }
        bytes += part
    }
    return bytes
}

/// Writes all bytes to a non-blocking descriptor.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, until deadline: Deadline) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        try deadline.wait(for: descriptor, POLLOUT)
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno != EAGAIN, errno != EINTR { throw HelperError("write: errno \(errno)") }
        rest = rest.dropFirst(max(count, 0))
    }
}
