import Foundation
import Glibc
import Support
import Testing
import WeirWire

/// Runs a real server behind `weir relay`, and what its clients do; gives what the terminal shows without what varies.
struct RelayedServer: Sendable, CustomTestStringConvertible {
    /// Names the golden.
    var name: String
    /// Names what its messages are of.
    var protocolName: String
    /// The program, with what stands for its port and its folder: `PORT`, `FOLDER`.
    var command: [String]
    /// Runs before it, each in the folder and until it ends.
    var preparation: [[String]] = []
    /// The clients, one after the other; `PORT` is the relay's.
    var clients: [[String]]
    /// Says whether it is reached over UDP, too.
    var hasDatagrams = false
    /// Says that chunks and their bytes vary: messages alone are shown.
    var chunksVary = false
    /// Runs it as another user where the test is root.
    var user: String?

    var testDescription: String { name }

    /// Says whether all of its programs are there.
    var isInstalled: Bool {
        ([command] + preparation + clients).allSatisfy { words in
            let program = words[0] == "env" ? words[2] : words[0]
            return program.hasPrefix("/") ? access(program, X_OK) == 0 : ChildProgram.exists(program)
        }
    }

    /// Runs everything, and returns the normalised output.
    func record() async throws -> String {
        let folder = try TemporaryFolder()
        let target = Endpoint(address: .loopbackV4, port: try LoopbackPort.free())
        let launcher = userLauncher
        if !launcher.isEmpty { try ChildProgram.run("chown", [user ?? "root", folder.path]) }
        for words in preparation { try run(words, target.port, folder.path, launcher) }
        let words = command.map { fill($0, target.port, folder.path) }
        let server = try WeirProgram(
            Array(words.dropFirst()),
            launcher: launcher + ["sh", "-c", "exec \(words[0]) \"$@\" >\(folder.path)/said 2>&1"],
            seconds: 60
        )
        defer { server.send(SIGTERM) }
        do {
            try Self.waitUntilReached(target)
        } catch {
            throw HelperError("\(error); \(name) says: \(String(decoding: try folder.read("said"), as: UTF8.self))")
        }
        let routes = (hasDatagrams ? ["udp", "tcp"] : ["tcp"]).map { "\($0):0=\(target)" }
        let relay = try WeirProgram(
            ["relay", "--threads", "1", "--show", show, "--show-limit", "32", "--no-processes"] + routes,
            seconds: 60
        )
        let endpoints = try relay.listening(routes.count)
        for (index, words) in clients.enumerated() {
            // With datagrams, the first client takes them, and the others take the stream.
            try run(words, endpoints[hasDatagrams && index > 0 ? 1 : 0].port, folder.path, [])
        }
        let output = try await relay.stop().output
        return normalized(String(decoding: output, as: UTF8.self))
    }

    private var show: String { chunksVary ? "messages" : "hex" }

    private var userLauncher: [String] {
        guard let user, geteuid() == 0 else { return [] }
        return ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
    }

    private func fill(_ word: String, _ port: UInt16, _ folder: String) -> String {
        word.replacingOccurrences(of: "PORT", with: "\(port)").replacingOccurrences(of: "FOLDER", with: folder)
    }

    private func run(_ words: [String], _ port: UInt16, _ folder: String, _ launcher: [String]) throws {
        let filled = launcher + words.map { fill($0, port, folder) }
        try ChildProgram.run("env", ["-C", folder] + filled)
    }

    /// Waits until the server takes a connection.
    private static func waitUntilReached(_ target: Endpoint) throws {
        let deadline = Deadline(seconds: 30)
        while (try? TCPPeer(to: target)) == nil {
            if deadline.isOver { throw HelperError("nothing listens on \(target)") }
            poll(nil, 0, 10)
        }
    }

    /// Takes out times, ports, and what else varies.
    private func normalized(_ output: String) -> String {
        var lines: [String] = []
        for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("total:") { break }
            // Which side closes first is the scheduler's affair, and how many records one chunk holds.
            if line.hasSuffix("▲ end") || line.hasSuffix("▼ end") || line.contains("tls application data") { continue }
            guard !line.hasPrefix("  ") else {
                lines.append(String(line))
                continue
            }
            var text = String(line).replacing(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}/, with: "TIME")
                .replacing(/127\.0\.0\.1:\d+/, with: "127.0.0.1:PORT")
                .replacing(/\ \d+(?:\.\d+)? (?:ms|s)(?=\ \ \ |$)/, with: " DELAY")
                .replacing(/\ \ \ echo of ▲ @\d+, .*/, with: "")
            // Numbers of processes, and versions, which change with the packages.
            text = text.replacing(/process \d+/, with: "process N").replacing(/[-+]\d*\+?deb\d+u\d+/, with: "")
                .replacing(/server_version [^;]*/, with: "server_version VERSION")
            lines.append(text)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
