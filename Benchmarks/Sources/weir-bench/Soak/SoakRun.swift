import ArgumentParser
import Glibc
import Synchronization

/// Runs a soak, and prints its report.
struct SoakRun: Sendable {
    let settings: Soak.Settings
    let weir: String
    let ownPath: String
    let folder: TemporaryFolder
    let board: Board
    let crew: Crew

    /// Runs a soak to its end, and prints what came of it.
    static func run(_ settings: Soak.Settings, weir: String?) async throws {
        let hasFaults = Atomic(false)
        do {
            try DescriptorLimit.raise()
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let run = try SoakRun(settings, weir: weir, folder: folder)
            let signal = try await Interruption.run {
                let result = try await run.result()
                Diagnostics.answer(SoakReport.render(result, command: CommandLine.arguments, weir: run.weir))
                hasFaults.store(!result.faults.isEmpty, ordering: .relaxed)
            }
            if let signal {
                Diagnostics.say("weir-bench: stopped by signal \(signal)")
                throw ExitCode(128 + signal)
            }
        } catch let error as BenchError {
            Diagnostics.say("weir-bench: \(error)")
            throw ExitCode(error.exitCode)
        }
        if hasFaults.load(ordering: .relaxed) { throw ExitCode(1) }
    }

    private init(_ settings: Soak.Settings, weir: String?, folder: TemporaryFolder) throws(BenchError) {
        self.settings = settings
        self.folder = folder
        ownPath = try Programs.ownPath()
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let programs = Programs(path: path, given: Programs.weir(given: weir, ownPath: ownPath))
        guard let program = programs.find("weir") else { throw .absent(program: "weir") }
        self.weir = program
        board = try Board("\(folder.path)/board")
        crew = Crew(board, program: ownPath, folder: folder)
    }

    private func result() async throws -> Soak.Result {
        var ports: [UInt16] = []
        for transport in [Socket.Transport.tcp, .tcp, .udp] {
            var port = try FreePort.find(transport)
            while ports.contains(port) { port = try FreePort.find(transport) }
            ports.append(port)
        }
        let (measured, words, status) = try await SoakedRelay.run(weir, before: ports, folder: folder) { [ports] in
            try await soak($0, servers: ports, relayed: $1)
        }
        var result = measured
        (result.words, result.status) = (words, status)
        return result
    }

    private func soak(_ relay: SoakedRelay, servers: [UInt16], relayed: [UInt16]) async throws -> Soak.Result {
        try await withThrowingTaskGroup(of: Soak.Result?.self) { group in
            for role in Board.Role.allCases where role.isServer {
                let port = servers[role.rawValue]
                group.addTask {
                    try await crew.keep(role, arguments(port))
                    return nil
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(settings.limit))
                throw BenchError.load("the soak was not done within \(Int(settings.limit)) s")
            }
            group.addTask {
                for role in Board.Role.allCases where role.isServer { try await crew.waitUntilReady(role) }
                return try await measure(relay, relayed)
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw BenchError.load("the soak ended without a result")
        }
    }

    private func measure(_ relay: SoakedRelay, _ ports: [UInt16]) async throws -> Soak.Result {
        // What is paid once is paid before the start is measured.
        try await load(ports, bytes: settings.bytes / 50, settings.connections / 50, settings.datagrams / 50)
        var result = Soak.Result(settings: settings)
        result.before = try await relay.waitUntilQuiet()
        let start = Clock.nanoseconds()
        result.most = try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await watch(relay, since: start) }
            group.addTask {
                try await killAgainAndAgain()
                return nil
            }
            try await load(ports, bytes: settings.bytes, settings.connections, settings.datagrams)
            group.cancelAll()
            var most = 0
            while let memory = try await group.next() { most = max(most, memory ?? 0) }
            return most
        }
        result.seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        result.after = try await relay.waitUntilQuiet(result.before.descriptors)
        result.counts = Soak.Counts(board)
        result.kills = await crew.kills
        return result
    }

    /// Runs the three clients until they are done: with so much in all, what went through before included.
    private func load(_ ports: [UInt16], bytes: UInt64, _ connections: UInt64, _ datagrams: UInt64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for role in Board.Role.allCases where !role.isServer {
                var arguments = arguments(ports[role.pair])
                switch role {
                case .flowClient: arguments += ["--bytes", "\(bytes)"]
                case .talkClient: arguments += ["--count", "\(connections)"]
                default: arguments += ["--count", "\(datagrams)"]
                }
                group.addTask { [arguments] in try await crew.keep(role, arguments) }
            }
            try await group.waitForAll()
        }
    }

    private func arguments(_ port: UInt16) -> [String] {
        let limit = UInt32(clamping: Int(settings.limit) + 60)
        let board = "\(folder.path)/board"
        return ["--port", "\(port)", "--board", board, "--seed", "\(settings.seed)", "--limit", "\(limit)"]
    }

    private func killAgainAndAgain() async throws {
        var random = SplitMix(state: settings.seed)
        do {
            while true {
                let pause = Double(random.next() % 2000) / 1000 * settings.killEvery
                try await Task.sleep(for: .seconds(pause))
                let roles = Board.Role.allCases.filter { role in
                    // A server whose client is done has nothing to be killed in.
                    Board.Role.allCases.allSatisfy { $0.pair != role.pair || board[$0, .finished] == 0 }
                }
                if let role = roles.randomElement(using: &random) { try await crew.kill(role) }
            }
        } catch is CancellationError {}
    }

    /// Says how far it is, and returns the most memory that the relay had.
    private func watch(_ relay: SoakedRelay, since start: UInt64) async throws -> Int {
        var most = 0
        var nextLine = start
        do {
            while true {
                most = max(most, relay.holdings()?.memory ?? 0)
                if Clock.nanoseconds() >= nextLine {
                    nextLine += 10_000_000_000
                    let kills = await crew.kills
                    Diagnostics.say(SoakReport.progress(Soak.Counts(board), kills: kills, memory: most, since: start))
                }
                try await Task.sleep(for: .milliseconds(500))
            }
        } catch is CancellationError {}
        return most
    }
}
