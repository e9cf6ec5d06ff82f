import Glibc
import WeirWire

extension ProcessSearch {
    /// The name and start time of a process that has sockets open.
    struct Owner {
        let name: String
        /// The start time, in nanoseconds since the system started, rounded down to a tick.
        private let started: Int64

        private static let ticksPerSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))

        /// Reads them from /proc; nil if the process is gone.
        ///
        /// Source: Linux proc_pid_stat(5), field 22, in ticks since the system's start.
        init?(_ process: Int32) {
            guard var name = Self.read("/proc/\(process)/comm"), let stat = Self.read("/proc/\(process)/stat"),
                let end = stat.lastIndex(of: UInt8(ascii: ")"))
            else { return nil }
            if name.last == UInt8(ascii: "\n") { name.removeLast() }
            self.name = String(decoding: name, as: UTF8.self)
            let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
            guard fields.count > 19, let ticks = Int64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
            started = ticks * (1_000_000_000 / Self.ticksPerSecond)
        }

        /// Returns whether the process had started when a client connected: one that started later has taken over the
        /// port.
        func hadStarted(at moment: Moment) -> Bool {
            var boot = timespec()
            clock_gettime(CLOCK_BOOTTIME, &boot)
            let age = moment.instant.duration(to: SystemClock.instant()).inNanoseconds
            return started <= Int64(boot.tv_sec) * 1_000_000_000 + Int64(boot.tv_nsec) - age
        }

        private static func read(_ path: String) -> [UInt8]? {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            return count > 0 ? Array(bytes[..<count]) : nil
        }
    }
}
