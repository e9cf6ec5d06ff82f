import CWeirBench
import Glibc

/// Runs the connections of one process of a soak on one thread: its server's, or its client's.
final class TalkLoop {
    private static let patience: UInt64 = 60_000_000_000
    private static let listenerTag = Int(Int32.max)

    private let role: Board.Role
    private let board: Board
    private let poller: Poller
    private var talks: ContiguousArray<Talk?> = []
    private var interests: ContiguousArray<UInt32> = []
    private var free: [Int] = []
    /// The places that became free in this turn: events of their connections may still be to come.
    private var freed: [Int] = []
    private var open = 0
    private var ended: (TalkPlan) -> Void = { _ in }

    /// Makes a loop without connections.
    init(_ role: Board.Role, _ board: Board) throws(BenchError) {
        self.role = role
        self.board = board
        poller = try Poller()
    }

    /// Serves what a listener accepts until the process ends.
    func serve(_ listener: Int32) throws(BenchError) {
        try poller.add(listener, events: Poller.readable, tag: Self.listenerTag)
        board[role, .ready] = UInt64(getpid())
        while true {
            let count = try poller.wait(milliseconds: 1000)
            for event in 0..<count {
                if poller.tag(event) == Self.listenerTag {
                    try accept(listener)
                } else {
                    try advance(poller.tag(event), poller.flags(event))
                }
            }
            reuse()
        }
    }

    /// Connects as a client, again and again, until there is no plan left and every connection has ended.
    ///
    /// - Parameters:
    ///   - port: Where to on 127.0.0.1.
    ///   - atOnce: How many connections at once.
    ///   - next: Gives the plan of the next one; nil where there is none now.
    ///   - ended: Is told each plan whose connection has ended.
    /// - Throws: `BenchError` where there is no socket to be had, or nobody listens.
    func connect(
        port: UInt16,
        atOnce: Int,
        next: () -> TalkPlan?,
        ended: @escaping (TalkPlan) -> Void = { _ in }
    ) throws(BenchError) {
        self.ended = ended
        board[role, .ready] = UInt64(getpid())
        var lastLook = Clock.nanoseconds()
        while true {
            while open < atOnce, let plan = next() {
                board[role, .begun] += 1
                try add(Talk(try Socket.beginConnect(port: port), plan: plan, role: role, board: board))
            }
            guard open > 0 else { return }
            let count = try poller.wait(milliseconds: 100)
            for event in 0..<count { try advance(poller.tag(event), poller.flags(event)) }
            reuse()
            let now = Clock.nanoseconds()
            guard now - lastLook > 1_000_000_000 else { continue }
            lastLook = now
            try giveUpStuck(at: now)
        }
    }

    private func accept(_ listener: Int32) throws(BenchError) {
        while true {
            let number = weir_bench_accept(listener)
            if number == -EAGAIN || number == -ECONNABORTED { return }
            guard number >= 0 else { throw .system(call: "accept4", errno: -number, on: nil) }
            board[role, .begun] += 1
            try add(Talk(Descriptor(number), plan: nil, role: role, board: board))
        }
    }

    private func add(_ talk: Talk) throws(BenchError) {
        let place = free.popLast() ?? talks.count
        if place == talks.count {
            talks.append(talk)
            interests.append(0)
        } else {
            talks[place] = talk
        }
        interests[place] = talk.interest
        try poller.add(talk.number, events: talk.interest, tag: place)
        open += 1
    }

    private func advance(_ place: Int, _ flags: UInt32) throws(BenchError) {
        guard let talk = talks[place] else { return }
        talk.advance(flags)
        if let outcome = talk.outcome { return end(place, outcome, talk.plan) }
        let interest = talk.interest
        guard interest != interests[place] else { return }
        interests[place] = interest
        try poller.modify(talk.number, events: interest, tag: place)
    }

    private func giveUpStuck(at now: UInt64) throws(BenchError) {
        for (place, talk) in talks.enumerated() {
            guard let talk, now > talk.lastMove + Self.patience else { continue }
            talk.giveUp()
            end(place, .stuck, talk.plan)
        }
    }

    private func end(_ place: Int, _ outcome: Talk.Outcome, _ plan: TalkPlan?) {
        talks[place] = nil
        freed.append(place)
        open -= 1
        if let plan { ended(plan) }
        board[role, .ended] += 1
        switch outcome {
        case .complete: board[role, .complete] += 1
        case .resetAsPlanned: board[role, .resetAsPlanned] += 1
        case .wrong: board[role, .wrong] += 1
        case .stuck: board[role, .stuck] += 1
        // A client that resets at once may do so before its server is dialed.
        case .unheard: board[role, .unheard] += 1
        case .cut:
            let epoch = board.epoch(of: role.pair)
            let isExplained = plan.map { $0.epoch % 2 == 1 || $0.epoch != epoch } ?? true
            board[role, isExplained ? .cut : .unexplained] += 1
        }
    }

    private func reuse() {
        free += freed
        freed.removeAll(keepingCapacity: true)
    }
}
