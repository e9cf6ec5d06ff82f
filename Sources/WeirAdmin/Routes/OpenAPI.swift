import WeirWire

/// The OpenAPI document, made from the table of routes.
///
/// Source: OpenAPI Specification 3.1.0.
enum OpenAPI {
    /// Returns the document.
    static func document(version: String) -> JSONValue {
        var paths: [(path: String, operations: [JSONValue.Member])] = []
        for route in Routes.all {
            let operation = JSONValue.Member(route.method.lowercased(), operation(route))
            if let index = paths.firstIndex(where: { $0.path == route.path }) {
                paths[index].operations.append(operation)
            } else {
                paths.append((route.path, [operation]))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Weir", "version": .string(version),
                "description": "Steers a running relay. Everything but /v1 is Toxiproxy's API.",
                "license": ["name": "Apache 2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths.map { JSONValue.Member($0.path, .object($0.operations)) }),
            "components": [
                "schemas": .object(Schemas.components.map { JSONValue.Member($0.0, $0.1) }),
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            ],
            // The token is needed only if the relay was started with one.
            "security": [[:], ["token": []]],
        ]
    }

    private static func operation(_ route: AdminRoute) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(route.operation)), .init("summary", .string(route.summary)),
            .init("tags", [.string(route.api == .weir ? "weir" : "toxiproxy")]),
        ]
        if !route.parameters.isEmpty {
            members.append(.init("parameters", .array(route.parameters.map(parameter))))
        }
        if let body = route.body {
            let content: JSONValue = [
                "required": .bool(!route.isBodyOptional), "content": ["application/json": ["schema": body]],
            ]
            members.append(.init("requestBody", content))
        }
        members.append(.init("responses", responses(route)))
        return .object(members)
    }

    private static func parameter(_ parameter: AdminRoute.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name),
            "in": .string(parameter.isInPath ? "path" : parameter.isHeader ? "header" : "query"),
            "required": .bool(parameter.isInPath), "description": .string(parameter.help),
            "schema": parameter.schema,
        ]
    }

    private static func responses(_ route: AdminRoute) -> JSONValue {
        var members: [JSONValue.Member] = []
        var answers = route.answers
        if route.api == .weir {
            // Answers that are given before the route is called.
            for (status, help) in [
                (401, "The token is missing or wrong."), (403, "Host, Origin or Sec-Fetch-Site is a stranger's."),
                (413, "The body is too large."),
            ] where !answers.contains(where: { $0.status == status }) {
                answers.append(V1Routes.problem(status, help))
            }
        }
        for answer in answers.sorted(by: { $0.status < $1.status }) {
            var response: [JSONValue.Member] = [.init("description", .string(answer.help))]
            if let type = answer.type {
                let content = answer.schema.map { ["schema": $0] as JSONValue } ?? [:]
                response.append(.init("content", .object([.init(type, content)])))
            }
            members.append(.init("\(answer.status)", .object(response)))
        }
        return .object(members)
    }
}
