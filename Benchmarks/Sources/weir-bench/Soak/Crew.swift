/// The processes of a soak's load: starts them, kills them now and then, and starts them again.
actor Crew {
    private let board: Board
    private let program: String
    private let folder: TemporaryFolder
    private var running: [Board.Role: ProcessGroup] = [:]
    /// How often each role was killed.
    private(set) var kills: [Board.Role: Int] = [:]

    /// Gets ready; `program` is weir-bench itself.
    init(_ board: Board, program: String, folder: TemporaryFolder) {
        self.board = board
        self.program = program
        self.folder = folder
    }

    /// Keeps a role's process running: a server until the task is cancelled, a client until it has finished.
    ///
    /// - Throws: `BenchError.child` when a process ends that was not killed.
    func keep(_ role: Board.Role, _ arguments: [String]) async throws {
        var launch = Launch(program: program, arguments: ["soak-worker", role.name] + arguments)
        launch.errors = "\(folder.path)/\(role.name).errors"
        board[role, .finished] = 0
        while board[role, .finished] == 0 {
            board[role, .ready] = 0
            let before = kills[role] ?? 0
            try await Child.with(launch) { group in
                await self.began(role, group)
                while group.isRunning { try await Task.sleep(for: .milliseconds(10)) }
            }
            running[role] = nil
            guard board[role, .finished] == 0, kills[role] ?? 0 == before else { continue }
            let words = TextFile.read(launch.errors).flatMap(Child.lastLine(of:)) ?? "it said nothing"
            throw BenchError.child(program: "soak-worker \(role.name)", reason: "ended before its time: \(words)")
        }
    }

    private func began(_ role: Board.Role, _ group: ProcessGroup) { running[role] = group }

    /// Waits until a role's process works.
    func waitUntilReady(_ role: Board.Role, after last: UInt64 = 0) async throws {
        while board[role, .finished] == 0, board[role, .ready] == 0 || board[role, .ready] == last {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Kills a role's process, and waits until the next one works.
    func kill(_ role: Board.Role) async throws {
        let last = board[role, .ready]
        guard let group = running[role], last != 0, board[role, .finished] == 0 else { return }
        board.advanceEpoch(of: role.pair)
        kills[role, default: 0] += 1
        group.end()
        try await waitUntilReady(role, after: last)
        board.advanceEpoch(of: role.pair)
    }
}

extension ProcessGroup {
    /// Says whether the process that was started is still there, and has not ended.
    var isRunning: Bool {
        let leader = TextFile.read("/proc/\(identifier)/stat").flatMap { ProcessStatus(parsing: $0) }
        return leader.map { $0.state != "Z" } ?? false
    }
}
