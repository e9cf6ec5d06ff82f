import WeirWire

/// One operation of the API: a row of `Routes.all`, the table for answering requests and for the OpenAPI document.
final class AdminRoute: Sendable {
    /// The API to which a route belongs: the two differ in the form of their errors.
    enum API: Sendable {
        case toxiproxy, weir
    }

    /// A parameter of the query or the path.
    struct Parameter: Sendable {
        var name: String
        var help: String
        var schema: JSONValue
        var isInPath = false
        var isHeader = false
    }

    /// The description of an answer.
    struct Answer: Sendable {
        var status: Int
        var help: String
        var type: String?
        var schema: JSONValue?

        static func json(_ status: Int, _ help: String, _ schema: JSONValue) -> Answer {
            Answer(status: status, help: help, type: "application/json", schema: schema)
        }

        static func empty(_ status: Int, _ help: String) -> Answer { Answer(status: status, help: help) }
    }

    typealias Handle = @Sendable (AdminRequest, AdminParts) async throws -> AdminAnswer

    let api: API
    let method: String
    /// The path; `{name}` matches any one part.
    let path: String
    /// The name of the operation, for programs generated from the document.
    let operation: String
    let summary: String
    let parameters: [Parameter]
    let body: JSONValue?
    let isBodyOptional: Bool
    let answers: [Answer]
    let handle: Handle

    /// A part of the path between two slashes.
    enum Part: Sendable {
        case literal(String)
        case parameter(String)

        init(_ text: Substring) {
            self = text.hasPrefix("{") ? .parameter(String(text.dropFirst().dropLast())) : .literal(String(text))
        }
    }

    /// The parts of the path.
    let parts: [Part]

    init(
        _ api: API,
        _ method: String,
        _ path: String,
        _ operation: String,
        _ summary: String,
        parameters: [Parameter] = [],
        body: JSONValue? = nil,
        isBodyOptional: Bool = false,
        answers: [Answer],
        handle: @escaping Handle
    ) {
        self.api = api
        self.method = method
        self.path = path
        self.operation = operation
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.isBodyOptional = isBodyOptional
        self.answers = answers
        self.handle = handle
        parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Part.init)
    }

    /// Returns the values of the parameters in a path; nil if the path does not match.
    func match(_ path: [Substring]) -> [String: String]? {
        guard path.count == parts.count else { return nil }
        var parameters: [String: String] = [:]
        for (part, given) in zip(parts, path) {
            switch part {
            case .literal(let text): guard text == given else { return nil }
            case .parameter(let name):
                guard let value = PercentText.decode(given), !value.isEmpty else { return nil }
                parameters[name] = value
            }
        }
        return parameters
    }
}
