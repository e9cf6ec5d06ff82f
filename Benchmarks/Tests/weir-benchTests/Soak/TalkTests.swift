import Glibc
import Testing

@testable import weir_bench

@Suite("One end of a soak's connection", .tags(.network), .timeLimit(.minutes(1)))
struct TalkTests {
    private let folder: ScratchFolder
    private let board: Board

    init() throws {
        folder = try ScratchFolder()
        board = try Board(folder.path + "/board")
    }

    private static func plan(_ manner: TalkPlan.Manner = .together, resetAfter: UInt64 = 0) -> TalkPlan {
        var plan = TalkPlan(flow: 0, upstream: 150_000, downstream: 70_000, seed: 9, epoch: 0)
        (plan.manner, plan.resetAfter, plan.flow) = (manner, resetAfter, nil)
        return plan
    }

    /// Joins a talk's end with a peer that a test speaks for.
    private func client(_ plan: TalkPlan) throws -> (Talk, BlockingPeer) {
        let listener = try Socket.listen()
        let socket = try Socket.beginConnect(port: try Socket.port(of: listener))
        return (Talk(socket, plan: plan, role: .talkClient, board: board), try BlockingPeer(from: listener))
    }

    /// Lets a talk go on until it has ended.
    private func run(_ talks: Talk...) throws {
        try untilDone {
            for talk in talks where talk.outcome == nil { talk.advance(Poller.readable | Poller.writable) }
            return talks.allSatisfy { $0.outcome != nil }
        }
    }

    /// Makes the bytes that the server of a plan sends.
    private static func downstream(_ plan: TalkPlan) -> [UInt8] {
        let frames = Frames(seed: ~plan.seed, length: plan.downstream)
        var bytes: [UInt8] = []
        while bytes.count < Int(plan.downstream) {
            frames.withBytes(from: UInt64(bytes.count)) { bytes += $0.prefix(Int(plan.downstream) - bytes.count) }
        }
        return bytes
    }

    @Test("Two ends do what their plan says, whichever it is", arguments: TalkPlan.Manner.allCases)
    func talks(manner: TalkPlan.Manner) throws {
        let listener = try Socket.listen()
        let plan = Self.plan(manner, resetAfter: 50_000)
        let socket = try Socket.beginConnect(port: try Socket.port(of: listener))
        let client = Talk(socket, plan: plan, role: .talkClient, board: board)
        var accepted: Int32 = -1
        while accepted < 0 { accepted = accept(listener.number, nil, nil) }
        try Socket.makeNonblocking(accepted)
        let server = Talk(Descriptor(accepted), plan: nil, role: .talkServer, board: board)
        try run(client, server)
        #expect(server.plan == plan)
        let isReset = manner == .clientResets || manner == .serverResets
        #expect(client.outcome == (isReset ? .resetAsPlanned : .complete))
        #expect(server.outcome == (isReset ? .resetAsPlanned : .complete))
        guard !isReset else { return }
        #expect(board[.talkServer, .checkedBytes] == 150_000 && board[.talkClient, .checkedBytes] == 70_000)
    }

    @Test(
        "One byte that is not the one that was sent is found, wherever it stands",
        arguments: [0, 40_000, 65_531, 69_999]
    )
    func wrong(place: Int) throws {
        let plan = Self.plan()
        let (talk, peer) = try client(plan)
        var bytes = Self.downstream(plan)
        bytes[place] ^= 4
        try peer.send(bytes)
        peer.finish()
        try run(talk)
        #expect(talk.outcome == .wrong)
    }

    @Test("A byte too many, and bytes that are missing, are found", arguments: [1, -1, -70_000])
    func length(change: Int) throws {
        let plan = Self.plan()
        let (talk, peer) = try client(plan)
        let bytes = Self.downstream(plan)
        try peer.send(change > 0 ? bytes + [0] : Array(bytes.dropLast(-change)))
        peer.finish()
        try run(talk)
        #expect(talk.outcome == (change > 0 ? .wrong : .cut))
    }

    @Test("A reset that nobody has planned is none that was planned")
    func reset() throws {
        let (talk, peer) = try client(Self.plan())
        talk.advance(Poller.writable)
        #expect(try peer.receive(TalkPlan.size).count == TalkPlan.size)
        try peer.reset()
        try run(talk)
        #expect(talk.outcome == .cut)
    }
}
