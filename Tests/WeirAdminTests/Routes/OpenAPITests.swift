import Support
import Testing
import WeirWire

@testable import WeirAdmin

@Suite("The document of the API")
struct OpenAPITests {
    @Test("Each operation has its parameters, in the path, the query or a header, and the statuses of its answers")
    func describesOperations() throws {
        let document = OpenAPI.document(version: "1.2.3")
        var lines: [String] = []
        for path in document["paths"]?.members ?? [] {
            for operation in path.value.members ?? [] {
                let parameters = (operation.value["parameters"]?.arrayValue ?? []).map { parameter in
                    let (name, place) = (parameter["name"]?.stringValue ?? "", parameter["in"]?.stringValue ?? "")
                    #expect(parameter["required"] == .bool(place == "path"))
                    return place == "path" ? " {\(name)}" : place == "query" ? " ?\(name)" : " \(name):"
                }
                let body = operation.value["requestBody"].map { $0["required"] == true ? " body" : " [body]" } ?? ""
                let statuses = (operation.value["responses"]?.members ?? []).map { " \($0.key)" }
                let tag = operation.value["tags"]?.arrayValue?.first?.stringValue ?? ""
                lines.append(
                    "\(tag) \(operation.key) \(path.key)\(parameters.joined())\(body) ->\(statuses.joined())"
                )
            }
        }
        #expect(lines.joined(separator: "\n") == Self.expected)
        #expect(document["info"]?["version"] == "1.2.3" && document["openapi"] == "3.1.0")
        #expect(document["security"] == [[:], ["token": []]])
    }

    private static let expected = """
        toxiproxy get /proxies -> 200 403
        toxiproxy post /proxies body -> 201 400 403 409 500
        toxiproxy get /proxies/{proxy} {proxy} -> 200 403 404
        toxiproxy patch /proxies/{proxy} {proxy} body -> 200 400 403 404 500
        toxiproxy post /proxies/{proxy} {proxy} body -> 200 400 403 404 500
        toxiproxy delete /proxies/{proxy} {proxy} -> 204 403 404
        toxiproxy get /proxies/{proxy}/toxics {proxy} -> 200 403 404
        toxiproxy post /proxies/{proxy}/toxics {proxy} body -> 200 400 403 404 409
        toxiproxy get /proxies/{proxy}/toxics/{toxic} {proxy} {toxic} -> 200 403 404
        toxiproxy patch /proxies/{proxy}/toxics/{toxic} {proxy} {toxic} body -> 200 400 403 404
        toxiproxy post /proxies/{proxy}/toxics/{toxic} {proxy} {toxic} body -> 200 400 403 404
        toxiproxy delete /proxies/{proxy}/toxics/{toxic} {proxy} {toxic} -> 204 403 404
        toxiproxy post /populate body -> 201 400 403 500
        toxiproxy post /reset -> 204 400 403 500
        toxiproxy get /version -> 200 403
        toxiproxy get /metrics -> 200 403
        weir get /v1/health -> 200 401 403 413
        weir get /v1/openapi.json -> 200 401 403 413
        weir get /v1/flows ?after ?limit ?proxy ?transport -> 200 400 401 403 404 413
        weir get /v1/flows/{flow} {flow} -> 200 401 403 404 413
        weir delete /v1/flows/{flow} {flow} -> 204 401 403 404 413
        weir get /v1/toxic-types -> 200 401 403 413
        weir get /v1/ports ?after ?limit -> 200 400 401 403 413
        weir get /v1/ports/report ?after ?limit -> 200 400 401 403 413
        weir get /v1/events ?event ?flow ?direction ?transport ?proxy ?bytes ?query ?after ?limit Last-Event-ID: \
        -> 200 400 401 403 404 413 503
        weir get /v1/recordings -> 200 401 403 413
        weir post /v1/recordings [body] -> 201 400 401 403 409 413
        weir get /v1/recordings/{name} {name} -> 200 401 403 404 413
        weir get /v1/recordings/{name}/file {name} -> 200 401 403 404 413
        weir post /v1/recordings/{name}/stop {name} -> 200 401 403 404 409 413
        weir get /v1/holds ?proxy ?toxic ?limit ?wait -> 200 400 401 403 404 413
        weir post /v1/holds body -> 200 400 401 403 404 413
        weir get /v1/holds/{hold} {hold} -> 200 401 403 404 413
        weir post /v1/holds/{hold} {hold} body -> 204 400 401 403 404 413
        """

    @Test("Other methods than those of a path are told, each once, and HEAD where there is GET of Weir's own")
    func namesMethods() async throws {
        try await withAdmin { admin in
            for (path, methods) in [
                ("/proxies", "GET, POST"), ("/proxies/a", "GET, PATCH, POST, DELETE"),
                ("/proxies/a/toxics", "GET, POST"),
                ("/proxies/a/toxics/b", "GET, PATCH, POST, DELETE"), ("/populate", "POST"), ("/v1/flows", "GET, HEAD"),
                ("/v1/flows/1", "GET, HEAD, DELETE"), ("/v1/holds", "GET, HEAD, POST"),
                ("/v1/recordings/a/stop", "POST"), ("/v1/recordings/a/file", "GET, HEAD"),
            ] {
                let answer = try await admin.call("OPTIONS", path)
                #expect(answer.status == 405 && answer.header("allow") == methods, "\(path)")
            }
        }
    }

    @Test("Schemas are those of JSON Schema")
    func writesSchemas() {
        #expect(Schemas.oneOf(["a", "b"]).text == #"{"type":"string","enum":["a","b"]}"#)
        #expect(Schemas.list(of: Schemas.string).text == #"{"type":"array","items":{"type":"string"}}"#)
        #expect(Schemas.reference("X").text == ##"{"$ref":"#/components/schemas/X"}"##)
        let object = #"{"type":"object","properties":{"a":{"type":"string"}},"required":"#
        #expect(Schemas.object([("a", Schemas.string)]).text == object + #"["a"]}"#)
        #expect(Schemas.object([("a", Schemas.string)], required: []).text == object + "[]}")
    }
}
