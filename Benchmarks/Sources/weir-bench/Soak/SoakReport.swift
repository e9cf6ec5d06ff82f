import FoundationEssentials
import Glibc

/// Writes what came of a soak, as Markdown.
enum SoakReport {
    /// Writes one line on how far a soak is.
    static func progress(_ counts: Soak.Counts, kills: [Board.Role: Int], memory: Int, since start: UInt64) -> String {
        let seconds = Int(Clock.seconds(from: start, to: Clock.nanoseconds()))
        let killed = kills.values.reduce(0, +)
        return "soak, \(seconds) s: \(gigabytes(counts.flowBytes)) GB, \(number(counts.talks)) connections, "
            + "\(number(counts.datagramsBack)) datagrams, \(killed) kills; the relay has \(megabytes(memory)) MB"
    }

    /// Writes the whole report.
    static func render(_ result: Soak.Result, command: [String], weir: String) -> String {
        let faults = result.faults
        var lines = ["# weir-bench soak", "", facts(result, command, weir), "", table(result).text, ""]
        lines += holdings(result)
        lines.append("")
        lines += faults.isEmpty ? ["**Nothing was wrong.**"] : ["**Faults:**", ""] + faults.map { "- \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func facts(_ result: Soak.Result, _ command: [String], _ weir: String) -> String {
        var table = MarkdownTable(headings: ["", ""])
        let seconds = Number.fixed(result.seconds, digits: 0)
        table.rows = [
            ["date", Date.now.formatted(.iso8601)],
            ["command", "`\(command.joined(separator: " "))`"],
            ["seed", "\(result.settings.seed)"],
            ["relay", weir],
            ["cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"],
            ["processor", RunDescription.value(of: "model name", in: "/proc/cpuinfo") ?? "unknown"],
            ["time", "\(seconds) s"],
        ]
        return table.text
    }

    private static func table(_ result: Soak.Result) -> MarkdownTable {
        let counts = result.counts
        func kills(_ roles: Board.Role...) -> String { "\(roles.reduce(0) { $0 + (result.kills[$1] ?? 0) })" }
        var table = MarkdownTable(headings: ["", "through the relay, checked by hash", "kills", "cut short by them"])
        let rest = counts.talks - min(counts.talks, counts.complete + counts.resets)
        table.rows = [
            [
                "8 flows at once",
                "\(gigabytes(counts.flowBytes)) GB over \(number(counts.flowConnections)) connections",
                kills(.flowServer, .flowClient), "\(number(counts.flowsCut))",
            ],
            [
                "short connections",
                "\(number(counts.talks)): \(number(counts.complete)) to both ends, \(number(counts.resets)) reset as planned",
                kills(.talkServer, .talkClient), "\(number(rest))",
            ],
            [
                "datagrams",
                "\(number(counts.datagramsBack)) came back, from \(number(counts.datagramSockets)) ports",
                kills(.datagramServer, .datagramClient),
                "\(number(counts.datagramsLost)) lost, \(number(counts.datagramsLate)) late",
            ],
            [
                "content that differs; cut short by nobody; stuck",
                "\(counts.wrong); \(counts.unexplained); \(counts.stuck)", "", "",
            ],
        ]
        return table
    }

    private static func holdings(_ result: Soak.Result) -> [String] {
        let (before, after) = (result.before, result.after)
        let total = result.words.split(separator: "\n").first { $0.hasPrefix("total: ") } ?? "it printed no total"
        return [
            "The relay had \(before.descriptors) descriptors and \(megabytes(before.memory)) MB at the start (after a warm-up "
                + "of a fiftieth), at most \(megabytes(result.most)) MB meanwhile, and \(after.descriptors) descriptors and "
                + "\(megabytes(after.memory)) MB at the end. It ended with "
                + "\(result.status.map { "\($0)" } ?? "a signal"). Its own count:",
            "", "```", String(total), "```",
        ]
    }

    private static func number(_ value: UInt64) -> String { Number.fixed(Double(value), digits: 0) }

    private static func gigabytes(_ bytes: UInt64) -> String { Number.fixed(Double(bytes) / 1e9, digits: 2) }

    private static func megabytes(_ bytes: Int) -> String { Number.fixed(Double(bytes) / 1e6, digits: 1) }
}
