import Glibc

/// One soak: what is to go through the relay, and what came of it.
struct Soak: Sendable {
    /// What is to go through.
    struct Settings: Sendable {
        var bytes: UInt64 = 100_000_000_000
        var connections: UInt64 = 200_000
        var datagrams: UInt64 = 10_000_000
        /// The seconds between two kills, on average.
        var killEvery = 3.0
        var seed: UInt64 = 1
        var limit = 7200.0
        /// What the relay's memory may be more at the end than at the start, in bytes: what the allocator keeps of the
        /// most that was in use.
        var memoryAllowance = 16_000_000

        /// What takes seconds, also in a debug build.
        static var short: Settings {
            Settings(bytes: 100_000_000, connections: 2000, datagrams: 20_000, killEvery: 0.5)
        }
    }

    /// What the counters say at the end.
    struct Counts: Equatable, Sendable {
        var flowBytes: UInt64 = 0
        var flowConnections: UInt64 = 0
        var flowsCut: UInt64 = 0
        var talks: UInt64 = 0
        var complete: UInt64 = 0
        var resets: UInt64 = 0
        var datagramsSent: UInt64 = 0
        var datagramsBack: UInt64 = 0
        var datagramsLost: UInt64 = 0
        var datagramsLate: UInt64 = 0
        var datagramSockets: UInt64 = 0
        /// What must not be: content that differs, connections cut short by nobody, connections on which nothing moves.
        var wrong: UInt64 = 0
        var unexplained: UInt64 = 0
        var stuck: UInt64 = 0

        /// Reads the counters.
        init(_ board: Board) {
            for flow in 0..<FlowShares.flows { flowBytes += board.upstream(flow) + board.downstream(flow) }
            flowConnections = board[.flowClient, .begun]
            flowsCut = flowConnections - min(flowConnections, board[.flowClient, .complete])
            talks = board[.talkClient, .ended]
            complete = board[.talkClient, .complete]
            resets = board[.talkClient, .resetAsPlanned]
            datagramsSent = board[.datagramClient, .datagramsSent]
            datagramsBack = board[.datagramClient, .datagramsBack]
            datagramsLost = board[.datagramClient, .datagramsLost]
            datagramsLate = board[.datagramClient, .datagramsLate]
            datagramSockets = board[.datagramClient, .sockets]
            wrong = board.sum(.wrong)
            unexplained = board.sum(.unexplained)
            stuck = board.sum(.stuck)
        }

        init() {}
    }

    /// What a run came to.
    struct Result: Sendable {
        var settings: Settings
        var counts = Counts()
        var kills: [Board.Role: Int] = [:]
        var seconds = 0.0
        var before = SoakedRelay.Holdings(descriptors: 0, memory: 0)
        var after = SoakedRelay.Holdings(descriptors: 0, memory: 0)
        /// The most memory that was seen meanwhile.
        var most = 0
        /// What the relay printed on standard error.
        var words = ""
        /// The relay's exit code; nil where a signal ended it.
        var status: Int32?
    }
}

extension Soak.Result {
    /// How many datagrams the relay says that the kernel, or a kill, has cost.
    var saidLost: UInt64 {
        var lost: UInt64 = 0
        for line in words.split(separator: "\n") {
            let words = line.split { !$0.isLetter && !$0.isNumber }
            for (index, word) in words.enumerated() where word.hasPrefix("datagram") && index > 0 {
                if line.contains("dropped") { lost += UInt64(words[index - 1]) ?? 0 }
            }
        }
        return lost
    }

    /// How many datagrams may be lost: those under way when one end was killed, and those that the relay has counted.
    var allowedLosses: UInt64 {
        let killed = (kills[.datagramServer] ?? 0) + (kills[.datagramClient] ?? 0)
        return UInt64(killed) * DatagramSoak.underWay + saidLost
    }

    /// Lists what is not as it must be, a line each.
    var faults: [String] {
        var faults: [String] = []
        func check(_ isRight: Bool, _ fault: String) { if !isRight { faults.append(fault) } }
        check(counts.wrong == 0, "(\(counts.wrong)) streams or datagrams were not what was sent")
        check(counts.unexplained == 0, "(\(counts.unexplained)) connections were cut short, and nobody was killed")
        check(counts.stuck == 0, "(\(counts.stuck)) connections on which nothing moved for a minute")
        let share = settings.bytes / UInt64(FlowShares.flows) * UInt64(FlowShares.flows)
        check(counts.flowBytes >= share, "only (\(counts.flowBytes) bytes) went through the flows")
        check(counts.talks >= settings.connections, "only (\(counts.talks)) connections were made")
        check(counts.datagramsBack >= settings.datagrams, "only (\(counts.datagramsBack)) datagrams came back")
        check(
            counts.datagramsLost <= allowedLosses,
            "(\(counts.datagramsLost)) datagrams were lost, and only (\(allowedLosses)) can be explained"
        )
        check(before.descriptors == after.descriptors, "descriptors are left over")
        check(after.memory <= before.memory + settings.memoryAllowance, "memory is left over")
        check(status == 0, "the relay ended with \(status.map { "\($0)" } ?? "a signal")")
        return faults
    }
}
