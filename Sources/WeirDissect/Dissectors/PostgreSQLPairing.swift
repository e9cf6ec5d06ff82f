/// The pairing of what a PostgreSQL client asks for with what became of it.
///
/// A query and a function call are answered by what they have done or by an error, a start-up by the request to say who the
/// client is. A statement that is prepared and executed in one turn is one request, which the outcome of its execution answers.
/// The server answers in order, and after an error it skips everything up to the next `sync`.
///
/// Source: PostgreSQL 15 documentation, section 55.2, "Message Flow".
struct PostgreSQLPairing: Sendable {
    /// What waits for an answer.
    private struct Waiting: Sendable {
        enum Kind: Hashable, Sendable {
            case startUp, query, call, parse, execute, sync
        }

        var kind: Kind
        var number: UInt64
        /// Whether a statement is executed, too, so that it waits for the outcome.
        var isExecuted = false

        /// Whether rows and copied data belong to it.
        var isRunning: Bool { isTurn || kind == .execute || isExecuted }
        /// Whether it lasts until the server is ready: a query may be several statements.
        var isTurn: Bool { kind == .query || kind == .call }
    }

    private var waiting: [Waiting] = []
    private var requests: UInt64 = 0
    /// Whether messages are missing, so that nothing is paired until the server is ready for the next turn.
    private var isLost = false
    /// The maximum number of messages that wait.
    private static let limit = 128

    /// Returns what a message of the client is, by its type byte.
    mutating func ask(_ letter: UInt8) -> DissectedMessage.Role? {
        switch Unicode.Scalar(letter) {
        case "Q": return append(.query)
        case "F": return append(.call)
        case "P": return append(.parse)
        case "E":
            guard let last = waiting.last, last.kind == .parse, !last.isExecuted else { return append(.execute) }
            waiting[waiting.count - 1].isExecuted = true
            return nil
        case "S":
            _ = append(.sync)
            return nil
        default: return nil
        }
    }

    /// Returns what a start-up is.
    mutating func start() -> DissectedMessage.Role? { append(.startUp) }

    private mutating func append(_ kind: Waiting.Kind) -> DissectedMessage.Role? {
        guard !isLost else { return nil }
        guard waiting.count < Self.limit else {
            lose()
            return nil
        }
        defer { requests &+= 1 }
        waiting.append(Waiting(kind: kind, number: requests))
        return .request(requests)
    }

    /// Returns what a message of the server answers, by its type byte.
    mutating func answer(_ letter: UInt8) -> DissectedMessage.Role? {
        if letter == UInt8(ascii: "Z") {
            endTurn()
            return nil
        }
        guard let first = waiting.first else { return nil }
        let isAnswer =
            switch (Unicode.Scalar(letter), first.kind) {
            case ("R", .startUp), ("V", .call), ("E", .startUp), ("E", .query), ("E", .call), ("E", .parse),
                ("E", .execute):
                true
            case ("C", .query), ("C", .execute), ("I", .query), ("I", .execute), ("s", .execute): true
            case ("1", .parse): !first.isExecuted
            case ("C", .parse), ("I", .parse), ("s", .parse): first.isExecuted
            default: false
            }
        guard isAnswer else { return Self.isPart(letter) && first.isRunning ? .part(first.number) : nil }
        if !first.isTurn {
            let isError = letter == UInt8(ascii: "E")
            let skipped = isError ? waiting.firstIndex { $0.kind == .sync } ?? waiting.count : 1
            waiting.removeFirst(skipped)
        }
        return .answer(first.number)
    }

    /// Returns whether a message of the server is a part of an outcome: neither a notice nor a setting, which come at any time.
    private static func isPart(_ letter: UInt8) -> Bool {
        switch Unicode.Scalar(letter) {
        case "1", "2", "T", "t", "n", "D", "G", "H", "W", "d", "c": true
        default: false
        }
    }

    /// Removes what the server has answered when it is ready.
    private mutating func endTurn() {
        isLost = false
        guard let end = waiting.firstIndex(where: { $0.isTurn || $0.kind == .sync }) else { return }
        waiting.removeFirst(end + 1)
    }

    /// Forgets what waits, because messages are missing.
    mutating func lose() {
        waiting = []
        isLost = true
    }
}
