import WeirRelay
import WeirWire

/// Holds a request to the control API, whole and within bounds.
struct AdminRequest: Sendable {
    /// Names the method in capitals.
    var method: String
    /// Holds the path's parts between its slashes, as they were sent, still percent-encoded.
    var path: [Substring]
    /// Lists the query's names and values, decoded.
    var query: [(name: String, value: String)] = []
    /// Lists the header fields, names in small letters.
    var headers: [(name: String, value: String)] = []
    /// Holds the body.
    var body: [UInt8] = []
    /// Holds what the path has in the places of the route's parameters, decoded.
    var parameters: [String: String] = [:]

    /// Returns the value of the first header field of a name in small letters.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Returns the value of a query's first parameter of a name.
    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Returns a part of the path; the route's pattern says that it is there.
    func part(_ name: String) -> String { parameters[name] ?? "" }
}

/// Holds an answer of the control API.
struct AdminAnswer: Sendable {
    /// Is what the answer carries.
    enum Body: Sendable {
        case bytes([UInt8])
        /// Is written bit by bit; each write must make progress in time, all of them together need not end.
        case stream(@Sendable (any AnswerWriter) async throws -> Void)
    }

    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = Body.bytes([])
    /// Makes an answer of JSON.
    static func json(_ value: JSONValue, status: Int = 200, type: String = "application/json") -> AdminAnswer {
        AdminAnswer(status: status, headers: [("content-type", type)], body: .bytes(value.bytes))
    }

    /// Makes an answer of text.
    static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> AdminAnswer {
        AdminAnswer(status: status, headers: [("content-type", type)], body: .bytes(Array(text.utf8)))
    }

    /// Makes an answer without a body.
    static func empty(_ status: Int) -> AdminAnswer { AdminAnswer(status: status) }

    /// Makes a problem: how `/v1` says what is wrong.
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

/// Writes the parts of an answer that is made bit by bit.
protocol AnswerWriter: Sendable {
    /// Writes, and waits while the client takes nothing.
    func write(_ bytes: [UInt8]) async throws
}

/// Ends a request with an answer.
struct AnswerError: Error {
    var answer: AdminAnswer

    init(_ answer: AdminAnswer) {
        self.answer = answer
    }

    /// Ends it with a problem.
    static func problem(_ status: Int, _ detail: String) -> AnswerError { AnswerError(.problem(status, detail)) }
}

/// Knows the phrases of the status codes that are used.
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
