import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// An answer of the API.
typealias Answer = HTTPAnswer

extension HTTPAnswer {
    /// Returns a header field's value; the name is in lower case.
    func header(_ name: String) -> String? { field(name) }

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSONValue { try JSONParser.parseWhole(body) }
}

/// A relay with its control API, on the loopback, on ports that the kernel chose.
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

    /// Reads an answer that ends with the last byte.
    static func parse(_ bytes: [UInt8], isHead: Bool = false) throws -> Answer {
        var reader = HTTPAnswerReader(isToHead: isHead)
        let early = try reader.read(bytes.dropLast())
        #expect(early == nil, "more bytes came than the answer has")
        return try reader.read(bytes.suffix(1)) ?? reader.finish()
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
        relay = try await Supervisor(configuration, outputs: [server.output()], report: { reports.add($0) })
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
