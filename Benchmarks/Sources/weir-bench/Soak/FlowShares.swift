/// Shares the bytes of the long flows out: each flow goes on until its share was checked, over a new connection where
/// one was cut short.
final class FlowShares {
    /// How many flows there are at once.
    static let flows = 8

    private let board: Board
    private let share: UInt64
    private var random: SplitMix
    private var running: Set<Int> = []

    /// Prepares the flows; what has been checked before is theirs already.
    init(_ board: Board, bytes: UInt64, seed: UInt64) {
        self.board = board
        share = bytes / UInt64(Self.flows)
        random = SplitMix(state: seed)
    }

    /// Runs until every flow has its share.
    func run(port: UInt16) throws(BenchError) {
        let loop = try TalkLoop(.flowClient, board)
        try loop.connect(port: port, atOnce: Self.flows, next: next) { [self] plan in
            if let flow = plan.flow { running.remove(flow) }
        }
    }

    private func next() -> TalkPlan? {
        for flow in 0..<Self.flows where !running.contains(flow) {
            let done = board.upstream(flow) + board.downstream(flow)
            guard done < share else { continue }
            running.insert(flow)
            let rest = share - done
            // Three of eight run up, three down, and two both ways.
            let upstream = flow < 3 ? rest : flow < 6 ? 0 : rest / 2
            return TalkPlan(
                flow: flow,
                upstream: upstream,
                downstream: rest - upstream,
                seed: random.next(),
                epoch: board.epoch(of: Board.Role.flowClient.pair)
            )
        }
        return nil
    }
}
