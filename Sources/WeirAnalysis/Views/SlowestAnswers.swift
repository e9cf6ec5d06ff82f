import WeirDissect
import WeirEngine
public import WeirWire

/// The answers that took the longest, with the requests that they answer: `weir show --messages --sort took`.
///
/// Memory is limited: as many answers are kept as are shown, and of each flow the last 128 requests that wait.
public struct SlowestAnswers: Sendable {
    /// An answer that took some time.
    public struct Answer: Sendable {
        /// The flow.
        public var flow: FlowLabel
        /// The request; nil if it was not seen.
        public var request: Message?
        /// The answer, whose delay is known.
        public var answer: Message
        /// The time from the request's last byte to the answer's first, in nanoseconds.
        public var took: Int64
        /// The place in the order in which answers came.
        fileprivate var place: Int
    }

    /// A request that waits for its answer.
    private struct Open: Sendable {
        var request: Message
        /// The answer so far, of a protocol in which several messages answer a request.
        var answer: Message?
    }

    /// The maximum number of answers that are shown.
    public let limit: Int
    /// The number of answers, also of those that are not kept.
    public private(set) var count = 0
    private var kept: [Answer] = []
    private var open: [FlowLabel: [Open]] = [:]
    private static let openLimit = 128

    /// Creates a collection of no answer.
    public init(limit: Int) { self.limit = max(limit, 1) }

    /// The answers, the slowest first; of two that took the same time the earlier one is first.
    public var answers: [Answer] { Array(sorted.prefix(limit)) }

    private var sorted: [Answer] { kept.sorted { ($1.took, $0.place) < ($0.took, $1.place) } }

    /// Adds the next message of a flow.
    public mutating func add(_ message: Message, of flow: FlowLabel) {
        guard !message.isUnfinished else { return }
        if let answer = message.answer {
            let request = takeRequest(of: message, at: answer.request, flow)
            if let delay = answer.delay {
                keep(Answer(flow: flow, request: request, answer: message, took: delay, place: count))
            }
        } else if message.isRequest || message.isStatement || message.isLoggedRequest {
            var requests = open.removeValue(forKey: flow) ?? []
            if requests.count == Self.openLimit { requests.removeFirst() }
            requests.append(Open(request: message))
            open[flow] = requests
        } else if message.name.description == "postgresql", message.direction == .downstream {
            addPart(message, of: flow)
        }
    }

    /// Removes the request that a message answers; nil if it was not seen.
    private mutating func takeRequest(of message: Message, at offset: Int, _ flow: FlowLabel) -> Message? {
        guard var requests = open.removeValue(forKey: flow) else { return nil }
        defer { if !requests.isEmpty { open[flow] = requests } }
        let fits = requests.indices.filter {
            let request = requests[$0].request
            return request.direction != message.direction && request.range.lowerBound == offset
        }
        // All datagrams begin at 0; an answer of DNS repeats the question.
        let asked = message.summary.question
        let index = fits.first { asked.hasPrefix(requests[$0].request.summary.question) } ?? fits.first
        return index.map { requests.remove(at: $0).request }
    }

    /// Adds a message of PostgreSQL, whose messages have no pairs: everything up to `ready` answers what was asked.
    private mutating func addPart(_ message: Message, of flow: FlowLabel) {
        guard var requests = open.removeValue(forKey: flow) else { return }
        defer { if !requests.isEmpty { open[flow] = requests } }
        let text = message.summary.string
        if requests[0].answer == nil {
            guard let asked = requests[0].request.time, let time = message.firstTime ?? message.time else { return }
            let offset = requests[0].request.range.lowerBound
            var answer = message
            answer.answer = MessageAnswer(request: offset, delay: max(time &- asked, 0))
            requests[0].answer = answer
        } else if text.hasPrefix("done") || text.hasPrefix("error"),
            let answer = requests[0].answer, !answer.summary.string.hasPrefix("error")
        {
            // It says the most.
            requests[0].answer?.summary = message.summary
        }
        guard text.hasPrefix("ready") else { return }
        let first = requests.removeFirst()
        // A statement that was prepared in the same turn was executed in it, too.
        let isExecuted = !first.request.summary.string.hasPrefix("execute")
        if isExecuted, requests.first?.request.summary.string.hasPrefix("execute") == true { requests.removeFirst() }
        guard let answer = first.answer, let delay = answer.answer?.delay else { return }
        keep(Answer(flow: flow, request: first.request, answer: answer, took: delay, place: count))
    }

    private mutating func keep(_ answer: Answer) {
        count += 1
        kept.append(answer)
        // Sorted seldom, so that an answer costs little.
        if kept.count >= 2 * limit + 64 { kept = Array(sorted.prefix(limit)) }
    }
}

extension Message {
    /// Whether it is a request as a log has it, which does not say so.
    fileprivate var isLoggedRequest: Bool {
        direction == .upstream && ["http", "redis", "dns"].contains(name.description)
    }

    /// Whether it asks for something that messages without pairs answer.
    fileprivate var isStatement: Bool {
        guard name.description == "postgresql", direction == .upstream else { return false }
        return ["query", "parse", "execute", "function"].contains { summary.string.hasPrefix($0) }
    }
}

extension MessageText {
    /// What follows the first word: `A example.com` of `query A example.com`.
    fileprivate var question: Substring {
        let text = string
        return text.firstIndex(of: " ").map { text[text.index(after: $0)...] } ?? ""
    }
}
