import FoundationEssentials
import Glibc

/// Where, when and how a run was made.
struct RunDescription: Sendable {
    let settings: Bench.Settings
    /// Names and values, in the order they are shown.
    let rows: [(String, String)]

    /// Gathers what can be known about the machine and the programs.
    static func gather(_ bench: Bench, command: [String]) async -> RunDescription {
        var rows = [
            ("date", Date.now.formatted(.iso8601)),
            ("command", "`\(command.joined(separator: " "))`"),
            ("cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"),
            ("processor", value(of: "model name", in: "/proc/cpuinfo") ?? "unknown"),
            ("memory", memory() ?? "unknown"),
            ("kernel", TextFile.read("/proc/sys/kernel/osrelease").map(trim) ?? "unknown"),
            ("descriptors", (try? DescriptorLimit.raise()).map { "\($0)" } ?? "unknown"),
        ]
        for peer in Peers.known { rows.append((peer.name, await version(of: peer, bench.programs))) }
        return RunDescription(settings: bench.settings, rows: rows)
    }

    private static func version(of peer: any Peer, _ programs: Programs) async -> String {
        guard let program = programs.find(peer.program) else { return "absent" }
        do {
            let launch = Launch(program: program, arguments: peer.versionArguments)
            let text = try await Child.output(of: launch, withinSeconds: 20)
            let lines = text.split(separator: "\n").map { trim(String($0)) }
            let line = lines.first { $0.contains("ersion") } ?? lines.first ?? "unknown version"
            return "\(line) (\(program))"
        } catch {
            return "unknown version (\(program): \(error))"
        }
    }

    /// Returns what stands behind a name and a colon in a file of such lines.
    static func value(of name: String, in path: String) -> String? {
        let lines = (TextFile.read(path) ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name) }), let colon = line.firstIndex(of: ":") else {
            return nil
        }
        return trim(String(line[line.index(after: colon)...]))
    }

    private static func memory() -> String? {
        guard let text = value(of: "MemTotal", in: "/proc/meminfo"),
            let kilobytes = text.split(separator: " ").first.flatMap({ Double($0) })
        else { return nil }
        return Number.fixed(kilobytes / 1024 / 1024, digits: 1) + " GiB"
    }

    private static func trim(_ text: String) -> String {
        let isBlank = { (character: Character) in character.isWhitespace }
        let start = text.drop(while: isBlank)
        return String(String(start.reversed().drop(while: isBlank)).reversed())
    }
}
