import WeirRelay
import WeirWire

/// A whole request to the control API, within the size limits.
struct AdminRequest: Sendable {
    /// The name of the method, in capitals.
    var method: String
    /// The parts of the path between its slashes, as they were sent, still percent-encoded.
    var path: [Substring]
    /// The names and values in the query, decoded.
    var query: [(name: String, value: String)] = []
    /// The header fields, with lowercase names.
    var headers: [(name: String, value: String)] = []
    /// The body.
    var body: [UInt8] = []
    /// The values of the route's parameters in the path, decoded.
    var parameters: [String: String] = [:]

    /// Returns the value of the first header field with a lowercase name.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Returns the value of the query's first parameter with a name.
    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Returns a part of the path, which exists because the route's pattern matched.
    func part(_ name: String) -> String { parameters[name] ?? "" }
}

/// An answer of the control API.
struct AdminAnswer: Sendable {
    /// The body of an answer.
    enum Body: Sendable {
        case bytes([UInt8])
        /// A stream, written in parts; each write must make progress in time, but the whole need not end.
        case stream(@Sendable (any AnswerWriter) async throws -> Void)
    }

    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = Body.bytes([])
    /// Creates an answer with JSON.
    static func json(_ value: JSONValue, status: Int = 200, type: String = "application/json") -> AdminAnswer {
        AdminAnswer(status: status, headers: [("content-type", type)], body: .bytes(value.bytes))
    }

    /// Creates an answer with text.
    static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> AdminAnswer {
        AdminAnswer(status: status, headers: [("content-type", type)], body: .bytes(Array(text.utf8)))
    }

    /// Creates an answer without a body.
    static func empty(_ status: Int) -> AdminAnswer { AdminAnswer(status: status) }

    /// Creates a problem, the form of errors in `/v1`.
    ///
    /// Source: RFC 9457 section 3.
    static func problem(_ status: Int, _ detail: String) -> AdminAnswer {
        let value: JSONValue = [
            "type": "about:blank", "title": .string(StatusText.phrase(of: status)), "status": .int(status),
            "detail": .string(detail),
        ]
        return json(value, status: status, type: "application/problem+json")
    }

    func with(_ name: String, _ value: String) -> AdminAnswer {
        var answer = self
        answer.headers.append((name, value))
        return answer
    }
}

/// A writer of the parts of a stream.
protocol AnswerWriter: Sendable {
    /// Writes, and waits until the client has taken the bytes.
    func write(_ bytes: [UInt8]) async throws
}

/// An error that ends a request with an answer.
struct AnswerError: Error {
    var answer: AdminAnswer

    init(_ answer: AdminAnswer) {
        self.answer = answer
    }

    /// Returns an error that ends a request with a problem.
    static func problem(_ status: Int, _ detail: String) -> AnswerError { AnswerError(.problem(status, detail)) }
}

/// The phrases of the status codes in use.
enum StatusText {
    static func phrase(of status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 503: "Service Unavailable"
        default: status < 500 ? "Bad Request" : "Internal Server Error"
        }
    }
}

/// What answers the requests of all connections.
protocol RequestHandler: Sendable {
    /// Returns the answer to a request that is not let in, before its body is read; nil for one that is.
    func refusal(of request: AdminRequest) -> AdminAnswer?

    /// Answers a request that is let in.
    func answer(_ request: AdminRequest) async -> AdminAnswer
}
