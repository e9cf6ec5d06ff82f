import ArgumentParser
import Glibc

/// `weir-bench soak`: everything at once, for long, with processes that are killed.
struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Move much through the relay while clients and servers are killed, and check all of it by hash.",
        discussion: """
            Streams through 8 flows, short connections that half-close and reset, and datagrams, all at once; every byte \
            is checked by hash. Processes of the load are killed with SIGKILL at random. At the end the relay must have \
            the descriptors and the memory that it had at the start. Prints a report in Markdown; ends with 1 when \
            something was wrong.
            """
    )

    @Option(help: "The bytes that go through the 8 flows together, in millions (default: 100000).")
    var megabytes: UInt64?

    @Option(help: "The short connections (default: 200000).")
    var connections: UInt64?

    @Option(help: "The datagrams that come back (default: 10000000).")
    var datagrams: UInt64?

    @Option(help: "The seconds between two kills, on average (default: 3).")
    var killEvery: Double?

    @Flag(help: "By default a thousandth of it all, with a kill every half second.")
    var short = false

    @Option(help: "The memory that the relay may have more at the end than at the start, in millions of bytes.")
    var memoryAllowance = 16

    @Option(help: "What the random choices follow from.")
    var seed: UInt64 = UInt64.random(in: 1...1_000_000)

    @Option(help: "Give up after so many seconds.")
    var limit = 7200.0

    @Option(help: "The weir to soak (default: beside weir-bench, then on PATH).")
    var weir: String?

    func validate() throws {
        guard (0.1...3600).contains(killEvery ?? 1) else {
            throw ValidationError("--kill-every is between 0.1 and 3600")
        }
        guard (0...100_000).contains(memoryAllowance) else {
            throw ValidationError("--memory-allowance is between 0 and 100000")
        }
        guard (1...86_400).contains(limit) else { throw ValidationError("--limit is between 1 and 86400") }
        guard megabytes ?? 0 <= 10_000_000, connections ?? 0 <= 100_000_000, datagrams ?? 0 <= 1_000_000_000 else {
            throw ValidationError("that is more than a soak takes")
        }
    }

    func run() async throws {
        var settings = short ? Soak.Settings.short : Soak.Settings()
        if let megabytes { settings.bytes = megabytes * 1_000_000 }
        settings.connections = connections ?? settings.connections
        settings.datagrams = datagrams ?? settings.datagrams
        settings.killEvery = killEvery ?? settings.killEvery
        settings.memoryAllowance = memoryAllowance * 1_000_000
        settings.seed = seed
        settings.limit = limit
        try await SoakRun.run(settings, weir: weir)
    }
}

/// One process of a soak's load; weir-bench starts it as a child of its own, and kills it.
struct SoakWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak-worker",
        abstract: "Be one server or client of a soak.",
        shouldDisplay: false
    )

    @Argument var role: String
    @Option var port: UInt16
    @Option var board: String
    @Option var seed: UInt64 = 1
    @Option var bytes: UInt64 = 0
    @Option var count: UInt64 = 0
    @Option var limit: UInt32 = 600

    func run() throws {
        try DescriptorLimit.raise()
        // Whatever happens to weir-bench, a process of the load ends.
        alarm(limit)
        guard let role = Board.Role(named: role) else { throw ValidationError("no such role: \(role)") }
        let board = try Board(board)
        // A process that is started again goes on with other random numbers.
        let seed = seed &+ (board[role, .begun] &+ board[role, .datagramsSent]) &* 1_000_003
        switch role {
        case .flowServer, .talkServer:
            let listener = try Socket.listen(port: port)
            try TalkLoop(role, board).serve(listener.number)
        case .datagramServer:
            let socket = try Socket.bindUDP(port: port)
            board[role, .ready] = UInt64(getpid())
            try DatagramServer(socket: socket.number).run()
        case .flowClient:
            try FlowShares(board, bytes: bytes, seed: seed).run(port: port)
        case .talkClient:
            var random = SplitMix(state: seed)
            // Those that are lost with a process that is killed are not among those that ended.
            let (first, begun) = (board[role, .ended], board[role, .begun])
            let next: () -> TalkPlan? = {
                guard first + (board[role, .begun] - begun) < count else { return nil }
                return TalkPlan(random: &random, epoch: board.epoch(of: role.pair))
            }
            try TalkLoop(role, board).connect(port: port, atOnce: 32, next: next)
        case .datagramClient:
            try DatagramSoak(board, port: port, seed: seed).run(until: count)
        }
        board[role, .finished] = 1
    }
}
