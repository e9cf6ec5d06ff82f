import WeirEngine
import WeirWire

/// The messages of `--show messages`: a request waits for its answer, so that both are one line.
///
/// One whose answer takes longer than a second is shown alone, and so is the answer then; so are the requests of a stream with
/// other messages before the answer, as rows of a table: nothing is shown above what it follows.
struct RequestLines: Sendable {
    /// The time in ns for which a request waits.
    static let patience: Int64 = 1_000_000_000
    /// The maximum number of requests of a flow that wait.
    static let limit = 256

    /// What a line shows.
    struct Line: Sendable {
        /// The record of the request, or of a message that is none.
        var record: FlowRecord
        var message: Message
        var answer: Message?
    }

    private var waiting: [FlowID: [Line]] = [:]
    /// The flows of the requests that wait, the oldest first; some of them have been answered.
    private var order: [(flow: FlowID, time: Int64)] = []
    private var first = 0

    /// Takes a message; returns the lines that are complete now, or that must not wait any longer.
    mutating func add(_ message: Message, _ record: FlowRecord) -> [Line] {
        let line = Line(record: record, message: message)
        let isStream = record.transport == .tcp
        if let answer = message.answer, var requests = waiting.removeValue(forKey: record.flow) {
            defer { if !requests.isEmpty { waiting[record.flow] = requests } }
            // An offset tells requests of a stream apart; datagrams are answered in their order, mostly.
            let found = requests.firstIndex { request in
                request.message.direction != message.direction
                    && (!isStream || request.message.range.lowerBound == answer.request)
            }
            guard let found else { return [line] }
            var request = requests.remove(at: found)
            request.answer = message
            return [request]
        }
        guard message.isRequest, message.isComplete else { return (isStream ? close(record.flow) : []) + [line] }
        waiting[record.flow, default: []].append(line)
        order.append((record.flow, record.moment.wallNanoseconds))
        guard waiting[record.flow, default: []].count > Self.limit else { return [] }
        return [waiting[record.flow, default: []].removeFirst()]
    }

    /// Returns the requests that have waited long enough, and forgets them.
    mutating func expire(at time: Int64) -> [Line] {
        var expired: [Line] = []
        while first < order.count, time &- order[first].time > Self.patience {
            let (flow, then) = order[first]
            first += 1
            while let request = waiting[flow]?.first, request.record.moment.wallNanoseconds <= then {
                expired.append(request)
                waiting[flow]?.removeFirst()
            }
            if waiting[flow]?.isEmpty == true { waiting[flow] = nil }
        }
        if first > 1024, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
        return expired
    }

    /// Returns the requests of a flow that wait no longer, and forgets them.
    mutating func close(_ flow: FlowID) -> [Line] {
        waiting.isEmpty ? [] : waiting.removeValue(forKey: flow) ?? []
    }

    /// Returns all requests that wait, and forgets them.
    mutating func finish() -> [Line] {
        defer { (waiting, order, first) = ([:], [], 0) }
        return waiting.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
