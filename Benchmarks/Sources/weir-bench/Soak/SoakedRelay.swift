import Glibc

/// The relay that is soaked, while it runs.
struct SoakedRelay: Sendable {
    /// What the relay holds at one moment.
    struct Holdings: Equatable, Sendable {
        var descriptors: Int
        /// The memory of its own, in bytes: RssAnon.
        var memory: Int
    }

    let group: ProcessGroup
    let errors: String

    /// Starts a relay before three servers, and ends it with SIGTERM when the body is done.
    ///
    /// - Parameters:
    ///   - program: The path of weir.
    ///   - ports: Where the servers are, in the order of `Board.Role`.
    ///   - folder: Takes what it prints.
    ///   - body: Gets the relay, and the ports that it listens on.
    /// - Returns: What the body returned, and the last words and the exit code of the relay.
    /// - Throws: `BenchError.peer` when it does not start, and what the body throws.
    static func run<Result: Sendable>(
        _ program: String,
        before ports: [UInt16],
        folder: TemporaryFolder,
        body: @escaping @Sendable (SoakedRelay, [UInt16]) async throws -> Result
    ) async throws -> (Result, words: String, status: Int32?) {
        var launch = Launch(program: program, arguments: ["relay", "--show", "none", "--log", "/dev/null"])
        launch.arguments += ["--udp-timeout", "2s"]
        launch.arguments += zip(["tcp", "tcp", "udp"], ports).map { "\($0):0=127.0.0.1:\($1)" }
        launch.errors = "\(folder.path)/weir.errors"
        let errors = launch.errors
        let (result, status) = try await Child.withStatus(launch) { group in
            let relay = SoakedRelay(group: group, errors: errors)
            let result = try await body(relay, relay.waitUntilListening(ports.count))
            kill(group.identifier, SIGTERM)
            let deadline = Clock.nanoseconds() + 20_000_000_000
            while group.isRunning, Clock.nanoseconds() < deadline { try await Task.sleep(for: .milliseconds(20)) }
            return result
        }
        return (result, TextFile.read(errors) ?? "", status)
    }

    private func waitUntilListening(_ count: Int) async throws -> [UInt16] {
        let deadline = Clock.nanoseconds() + 10_000_000_000
        while Clock.nanoseconds() < deadline, group.isRunning {
            let lines = (TextFile.read(errors) ?? "").split(separator: "\n").filter { $0.hasPrefix("listening ") }
            let ports = lines.compactMap {
                $0.split(separator: " ")[2].split(separator: ":").last.flatMap { UInt16($0) }
            }
            if ports.count == count { return ports }
            try await Task.sleep(for: .milliseconds(10))
        }
        let words = TextFile.read(errors).flatMap(Child.lastLine(of:)) ?? "it said nothing"
        throw BenchError.peer(name: "weir", reason: "did not listen: \(words)")
    }

    /// Reads what it holds now; nil when it is gone.
    func holdings() -> Holdings? {
        guard let folder = opendir("/proc/\(group.identifier)/fd") else { return nil }
        defer { closedir(folder) }
        var descriptors = 0
        while let entry = readdir(folder) {
            let first = entry.pointee.d_name.0
            if first != CChar(bitPattern: UInt8(ascii: ".")) { descriptors += 1 }
        }
        let status = TextFile.read("/proc/\(group.identifier)/status") ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return Holdings(descriptors: descriptors, memory: kilobytes << 10)
    }

    /// Waits until the relay has no flow and no session any more: so many descriptors, or as few as it gets.
    func waitUntilQuiet(_ descriptors: Int? = nil) async throws -> Holdings {
        let deadline = Clock.nanoseconds() + 30_000_000_000
        var last = holdings()
        var since = Clock.nanoseconds()
        while Clock.nanoseconds() < deadline {
            try await Task.sleep(for: .milliseconds(100))
            let now = holdings()
            if now?.descriptors != last?.descriptors { since = Clock.nanoseconds() }
            last = now
            let isQuiet = Clock.nanoseconds() - since > 3_000_000_000
            if isQuiet, descriptors == nil || now?.descriptors == descriptors { break }
        }
        guard let last else { throw BenchError.peer(name: "weir", reason: "ended in the middle of the soak") }
        return last
    }
}
