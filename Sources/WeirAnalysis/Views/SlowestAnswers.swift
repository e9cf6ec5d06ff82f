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

    /// The maximum number of answers that are shown.
    public let limit: Int
    /// The number of answers, also of those that are not kept.
    public private(set) var count = 0
    private var kept: [Answer] = []
    /// The requests that wait for their answers.
    private var open: [FlowLabel: [Message]] = [:]
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
        } else if message.isRequest {
            var requests = open.removeValue(forKey: flow) ?? []
            if requests.count == Self.openLimit { requests.removeFirst() }
            requests.append(message)
            open[flow] = requests
        }
    }

    /// Removes the request that a message answers; nil if it was not seen.
    private mutating func takeRequest(of message: Message, at offset: Int, _ flow: FlowLabel) -> Message? {
        guard var requests = open.removeValue(forKey: flow) else { return nil }
        defer { if !requests.isEmpty { open[flow] = requests } }
        let fits = requests.indices.filter {
            requests[$0].direction != message.direction && requests[$0].range.lowerBound == offset
        }
        // All datagrams begin at 0; an answer of DNS repeats the question.
        let asked = message.summary.question
        let index = fits.first { asked.hasPrefix(requests[$0].summary.question) } ?? fits.first
        return index.map { requests.remove(at: $0) }
    }

    private mutating func keep(_ answer: Answer) {
        count += 1
        kept.append(answer)
        // Sorted seldom, so that an answer costs little.
        if kept.count >= 2 * limit + 64 { kept = Array(sorted.prefix(limit)) }
    }
}

extension MessageText {
    /// What follows the first word: `A example.com` of `query A example.com`.
    fileprivate var question: Substring {
        let text = string
        return text.firstIndex(of: " ").map { text[text.index(after: $0)...] } ?? ""
    }
}
