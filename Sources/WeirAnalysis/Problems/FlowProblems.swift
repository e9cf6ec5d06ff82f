public import WeirDissect
import WeirEngine
public import WeirWire

/// Something that went wrong in a flow.
public struct FlowProblem: Hashable, Sendable {
    /// The number of the flow.
    public var flow: Int
    /// The time, in nanoseconds since 1970 UTC; nil if it is not known.
    public var time: Int64?
    /// What went wrong.
    public var kind: Kind

    /// Creates a problem of a flow.
    public init(flow: Int, time: Int64?, kind: Kind) {
        self.flow = flow
        self.time = time
        self.kind = kind
    }

    /// The kinds of things that go wrong.
    public enum Kind: Hashable, Sendable {
        /// A message says so.
        case message(protocol: String, direction: Direction, text: MessageText, request: MessageText?, delay: Int64?)
        /// The flow was refused, not answered or reset.
        case flow(FlowClose, client: Endpoint, server: Endpoint)
    }
}

/// A collection of what went wrong in a capture: `weir show --errors`.
///
/// Each message is given in its order; at the end `problems` has all, in the order of their times.
public struct FlowProblems: Sendable {
    /// A request that waits for its answer.
    private struct Request: Hashable {
        var place: Int
        var direction: Direction
        var offset: Int
    }

    /// An error in a message of the flow at a place.
    private struct Found: Sendable {
        var place: Int
        var time: Int64?
        var kind: FlowProblem.Kind
    }

    private var requests: [Request: MessageText] = [:]
    private var found: [Found] = []
    private let limit: Int
    /// The number of messages with errors for which there was no room.
    public private(set) var leftOut = 0
    private static let mostRequests = 1 << 16

    /// Creates an empty collection.
    ///
    /// - Parameter limit: The maximum number of messages that are kept.
    public init(limit: Int = 1 << 20) { self.limit = limit }

    /// Adds a message of the flow at a place of the table.
    public mutating func add(_ message: Message, of place: Int) {
        var request: MessageText?
        if let answer = message.answer {
            let key = Request(place: place, direction: message.direction.opposite, offset: answer.request)
            request = requests.removeValue(forKey: key)
        } else if message.isRequest {
            if requests.count >= Self.mostRequests { requests.removeAll() }
            let key = Request(place: place, direction: message.direction, offset: message.range.lowerBound)
            requests[key] = message.summary
        }
        guard message.isError else { return }
        guard found.count < limit else { return leftOut += 1 }
        let kind = FlowProblem.Kind.message(
            protocol: "\(message.name)",
            direction: message.direction,
            text: message.summary,
            request: request,
            delay: message.answer?.delay
        )
        found.append(Found(place: place, time: message.time ?? message.firstTime, kind: kind))
    }

    /// Returns what went wrong in some flows, in the order of time; what has no time comes last.
    ///
    /// - Parameters:
    ///   - rows: The flows whose messages count.
    ///   - failing: The flows of which it counts that they failed; nil for all of them.
    /// - Returns: What went wrong.
    public func problems(of rows: [FlowRow], failing: [FlowRow]? = nil) -> [FlowProblem] {
        var numbers: [Int: Int] = [:]
        var problems: [FlowProblem] = []
        for row in rows { numbers[row.place] = row.number }
        for row in failing ?? rows {
            guard row.hasFailed, let close = row.close else { continue }
            let last = row.flow.start.map { $0 &+ Int64(clamping: row.flow.duration ?? 0) }
            let client = row.path?.client ?? row.flow.client
            let server = row.path?.server ?? row.flow.server
            problems.append(
                FlowProblem(flow: row.number, time: last, kind: .flow(close, client: client, server: server))
            )
        }
        for problem in found {
            guard let number = numbers[problem.place] else { continue }
            problems.append(FlowProblem(flow: number, time: problem.time, kind: problem.kind))
        }
        // Of the same time the first stays first.
        return problems.enumerated().sorted { left, right in
            (left.element.time ?? .max, left.offset) < (right.element.time ?? .max, right.offset)
        }.map(\.element)
    }
}
