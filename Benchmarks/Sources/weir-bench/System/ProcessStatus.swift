import Glibc

/// The parts of one `/proc/PID/stat` line that the measurements need.
///
/// Source: proc_pid_stat(5).
struct ProcessStatus: Equatable, Sendable {
    /// The process id.
    var processIdentifier: Int32
    /// The name in parentheses; it may hold blanks and parentheses of its own.
    var name: String
    /// The state's letter; `Z` is one that has ended and was not waited for.
    var state: Character
    /// The id of the parent.
    var parent: Int32
    /// The id of the process group.
    var group: Int32
    /// The ticks spent by all threads in user and in kernel mode, with those of the children that were waited for.
    var ticks: UInt64

    /// Parses one line; nil when it is not such a line.
    init?(parsing line: some StringProtocol) {
        guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close else { return nil }
        let fields = line[line.index(after: close)...].split(whereSeparator: \.isWhitespace)
        // The first of these is field 3, the state: utime, stime, cutime and cstime are fields 14 to 17.
        guard fields.count >= 15, let identifier = Int32(line[..<open].split(separator: " ").joined()),
            let state = fields[0].first, let parent = Int32(fields[1]), let group = Int32(fields[2])
        else { return nil }
        var ticks: UInt64 = 0
        for field in fields[11..<15] {
            guard let value = Int64(field) else { return nil }
            ticks += UInt64(max(0, value))
        }
        self.processIdentifier = identifier
        self.name = String(line[line.index(after: open)..<close])
        self.state = state
        self.parent = parent
        self.group = group
        self.ticks = ticks
    }
}

extension ProcessStatus {
    /// Returns every process that can be seen now.
    static func all() -> [ProcessStatus] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [ProcessStatus] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, let line = TextFile.read("/proc/\(name)/stat"),
                let status = ProcessStatus(parsing: line)
            else { continue }
            found.append(status)
        }
        return found
    }

    /// Returns ticks as seconds; a tick is 10 ms almost everywhere.
    static func seconds(ofTicks ticks: UInt64) -> Double {
        Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Returns the processor time of everything but some groups, in seconds.
    ///
    /// The kernel's own threads do not count: they handle the packets of those groups.
    static func secondsOfOthers(than groups: Set<Int32>, among processes: [ProcessStatus]) -> Double {
        let kernel: Int32 = 2
        let others = processes.filter {
            !groups.contains($0.group) && $0.parent != kernel && $0.processIdentifier != kernel
        }
        return seconds(ofTicks: others.reduce(0) { $0 + $1.ticks })
    }
}

extension ProcessStatus {
    /// Returns the anonymous memory in bytes that a `/proc/PID/status` tells; nil when it does not.
    ///
    /// Source: proc_pid_status(5), RssAnon.
    static func anonymousBytes(_ text: String) -> Double? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        let words = line?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count == 3, words[2] == "kB", let kilobytes = Double(words[1]) else { return nil }
        return kilobytes * 1024
    }
}
