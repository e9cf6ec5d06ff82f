import Glibc

/// A peer with all its workers: every process of one process group.
struct ProcessGroup: Sendable {
    /// The id of the group, which is that of the process that was started.
    let identifier: Int32

    /// Returns the processor time of the whole group so far, in seconds; the kernel counts in ticks of 10 ms.
    ///
    /// A member that ends moves its time to the one that waits for it, and a reading in between misses it. So this
    /// reads until two readings in a row found the same members.
    func processorSeconds() -> Double {
        var before = members()
        var ticks = Self.ticks(of: before)
        for _ in 0..<5 {
            let now = members()
            ticks = max(ticks, Self.ticks(of: now))
            if now.map(\.processIdentifier) == before.map(\.processIdentifier) { break }
            before = now
        }
        return ProcessStatus.seconds(ofTicks: ticks)
    }

    private static func ticks(of members: [ProcessStatus]) -> UInt64 {
        members.reduce(0) { $0 + $1.ticks }
    }

    /// Returns the proportional resident memory of the whole group, in bytes.
    func residentBytes() -> UInt64 {
        members().reduce(0) { sum, member in
            let text = TextFile.read("/proc/\(member.processIdentifier)/smaps_rollup") ?? ""
            return sum + (Self.proportionalBytes(inRollup: text) ?? 0)
        }
    }

    /// Returns the processes that belong to the group now.
    func members() -> [ProcessStatus] {
        ProcessStatus.all().filter { $0.group == identifier }
    }

    /// Reads the `Pss:` line of a `smaps_rollup` file, in bytes.
    static func proportionalBytes(inRollup text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
            let words = line.split(separator: " ")
            return words.count >= 2 ? UInt64(words[1]).map { $0 * 1024 } : nil
        }
        return nil
    }

    /// Ends every process of the group that is still there.
    func end() {
        if kill(-identifier, 0) == 0 { kill(-identifier, SIGKILL) }
    }
}
