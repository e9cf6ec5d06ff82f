import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// Is an answer of the API as it came.
struct Answer: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// Returns a header field's value; names are in small letters.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSONValue { try JSONParser.parseWhole(body) }
}

/// Is a relay with its control API, on the loopback, on ports that the kernel chose.
struct AdminFixture: Sendable {
    let server: AdminServer
    let relay: Supervisor
    let reports: Reports

    var authority: String { "\(server.endpoint)" }

    /// Sends one request on a connection of its own, and reads the answer to its end.
    func call(
        _ method: String,
        _ path: String,
        _ body: String? = nil,
        headers: [(String, String)] = [],
        host: String? = nil
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host ?? authority)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        let request = head + "\r\n" + (body ?? "")
        return try await send(request, isHead: method == "HEAD")
    }

    /// Sends bytes as they are, and reads what comes to its end.
    func send(_ request: String, isHead: Bool = false) async throws -> Answer {
        let endpoint = server.endpoint
        let bytes = try await runThread {
            let peer = try TCPPeer(to: endpoint)
            try peer.send(request)
            return try peer.receiveToEnd().bytes
        }
        return try Self.parse(bytes, isHead: isHead)
    }

    static func parse(_ bytes: [UInt8], isHead: Bool = false) throws -> Answer {
        let end = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)), "no whole head: \(bytes.count) bytes")
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = try #require(lines.first).split(separator: " ")
        let status = try #require(Int(words[1]))
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: String(parts[1].drop { $0 == " " }))
        }
        var answer = Answer(status: status, headers: headers, body: Array(bytes[end.upperBound...]))
        if answer.header("transfer-encoding") == "chunked" { answer.body = try unchunked(answer.body) }
        if !isHead, let length = answer.header("content-length") { #expect(Int(length) == answer.body.count) }
        return answer
    }

    private static func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
        var rest = bytes[...]
        var body: [UInt8] = []
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = try #require(Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16))
            if size == 0 { break }
            body += rest[end.upperBound...].prefix(size)
            rest = rest[end.upperBound...].dropFirst(size + 2)
        }
        return body
    }
}

/// Starts a relay with its control API, lets a test use it, and stops it.
func withAdmin<Result>(
    _ routes: [String] = [],
    configure: (inout AdminSettings) throws -> Void = { _ in },
    relaying: (inout RelayConfiguration) -> Void = { _ in },
    _ body: (AdminFixture) async throws -> Result
) async throws -> Result {
    var settings = AdminSettings()
    settings.version = "0.0.0"
    try settings.listen(at: "127.0.0.1:0")
    try configure(&settings)
    let server = try await AdminServer(settings)
    var configuration = RelayConfiguration(
        routes: try routes.map { try $0.contains("=") ? Route(parsing: $0) : Route(echo: $0) }
    )
    configuration.adminEndpoints = server.endpoints
    configuration.takesRoutes = true
    relaying(&configuration)
    let reports = Reports()
    let relay: Supervisor
    do {
        relay = try await Supervisor(configuration, outputs: [server.output], report: { reports.add($0) })
    } catch {
        await server.stop()
        throw error
    }
    await server.serve(relay) { reports.add($0) }
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(AdminFixture(server: server, relay: relay, reports: reports)))
    } catch {
        result = .failure(error)
    }
    await server.stop()
    await relay.stop(grace: .zero)
    return try result.get()
}
