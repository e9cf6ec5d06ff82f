import Glibc
import WeirAnalysis
import WeirRelay
import WeirWire

/// A display of how full this host's range of ephemeral ports is, once or repeatedly.
struct HostShow {
    var interval: Duration
    var repeats: Bool
    var json: Bool

    /// Shows the usage once, or for ever; each time it needs an earlier reading, for the rates.
    func run() async throws {
        guard let range = HostPorts.range() else {
            throw Failure(.unavailable, "the system does not say its range of ports: /proc/sys/net/ipv4 is not there")
        }
        let ports = try HostPorts()
        let output = ShowOutput()
        var before = HostUsage(try ports.sockets(), range: range, reserved: HostPorts.reserved())
        var then = ContinuousClock.now
        repeat {
            try await Task.sleep(for: interval)
            let now = ContinuousClock.now
            let seconds = Double((now - then).inNanoseconds) / 1e9
            let usage = HostUsage(
                try ports.sockets(),
                range: HostPorts.range() ?? range,
                reserved: HostPorts.reserved(),
                before: before,
                seconds: seconds
            )
            (before, then) = (usage, now)
            output.write { buffer in
                if json { return HostUsageText.appendJSON(usage, at: SystemClock.now().wallNanoseconds, to: &buffer) }
                guard repeats, output.isTerminal, Terminal.movesCursor else {
                    return HostUsageText.append(usage, to: &buffer)
                }
                buffer.append("\u{1B}[H\u{1B}[2J")
                HostUsageText.append(usage, destinations: Self.room, to: &buffer)
            }
            output.flush()
        } while repeats
    }

    /// The number of destinations that fit on the screen, with the lines before and after them.
    private static var room: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else {
            return HostUsageText.destinationsShown
        }
        return min(HostUsageText.destinationsShown, max(1, Int(size.ws_row) - 5))
    }
}
