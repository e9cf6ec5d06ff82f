import WeirDissect
public import WeirWire

/// The text form of what went wrong: a line each.
///
/// ```
/// 12:31:07.104218 #3 http 404 Not Found, to GET /missing  1.2 ms
/// 12:31:08.000917 #5 refused  10.0.0.1:49152 → 10.0.0.2:80
/// ```
public struct ProblemsText: Sendable {
    private let style: TerminalStyle
    private var timestamp: Timestamp

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - style: The reader.
    ///   - localOffset: How far local time is ahead of UTC.
    public init(_ style: TerminalStyle, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.style = style
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Appends a problem.
    public mutating func append(_ problem: FlowProblem, to output: inout ByteBuffer) {
        let start = output.count
        if style.color { output.append("\u{1B}[31m") }
        if let time = problem.time {
            if style.isTerminal {
                timestamp.appendTimeOfDay(time, to: &output)
            } else {
                timestamp.appendDateAndTime(time, to: &output)
            }
        } else {
            output.append("no time")
        }
        output.append(" #")
        output.appendDecimal(problem.flow)
        output.append(" ")
        switch problem.kind {
        case .message(let name, _, let text, let request, let delay):
            output.append(name)
            output.append(" ")
            text.append(to: &output)
            if let request {
                output.append(", to ")
                request.append(to: &output)
            }
            if let delay {
                output.append("  ")
                output.appendBrief(.nanoseconds(delay))
            }
        case .flow(let close, let client, let server):
            output.append(Self.words(for: close))
            output.append("  ")
            client.write(to: &output)
            output.append(" ")
            output.append(style.arrow)
            output.append(" ")
            server.write(to: &output)
        }
        if style.color { output.append("\u{1B}[0m") }
        output.endLine(from: start, style)
    }

    /// Appends that some were left out, if any were.
    public func append(leftOut count: Int, to output: inout ByteBuffer) {
        guard count > 0 else { return }
        output.appendDecimal(count)
        output.append(" more errors in messages were not kept\n")
    }

    private static func words(for close: FlowClose) -> StaticString {
        switch close {
        case .refused: "refused"
        case .unanswered: "not answered"
        case .clientReset: "reset by the client"
        case .serverReset: "reset by the server"
        case .open, .clientFinished, .serverFinished, .finished: "ended"
        }
    }
}

/// The JSON form of what went wrong, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `time` (RFC 3339, UTC, ns; null if it is not known), `flow`, `event` (`error`); of a message
/// `direction`, `protocol`, `summary`, `request` (the summary of the request, if it was seen) and `delay_ns`; of a flow
/// `close`, `client` and `server`.
public struct ProblemsJSON: Sendable {
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init() {}

    /// Appends a problem, and a line feed.
    public mutating func append(_ problem: FlowProblem, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("time", problem.time, by: &timestamp)
            json.member("flow", problem.flow)
            json.member("event", "error")
            switch problem.kind {
            case .message(let name, let direction, let text, let request, let delay):
                json.member("direction", direction)
                json.member("protocol", name)
                json.member("summary", utf8: text.utf8.span.bytes)
                if let request { json.member("request", utf8: request.utf8.span.bytes) }
                if let delay { json.member("delay_ns", delay) }
            case .flow(let close, let client, let server):
                json.member("close", close.rawValue)
                json.member("client", client)
                json.member("server", server)
            }
        }
    }
}
