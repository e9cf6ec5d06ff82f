import Foundation
import Support
import Testing
import WeirWire

@Suite("Programs without Weir and under it", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct ComparedProgramsTests {
    private let run: RunFixture

    init() throws {
        run = try RunFixture()
    }

    /// The ports that a program said on standard error.
    private static func ports(_ errors: String) -> [Int] {
        errors.split(separator: "\n").compactMap { $0.hasPrefix("port ") ? Int($0.dropFirst(5)) : nil }.sorted()
    }

    /// Runs a program without Weir and under it, and expects the same output, and its own ports in the log.
    private func compare(
        _ name: String,
        _ host: String,
        _ port: UInt16,
        launcher: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let command = RunFixture.script(name, [host, "\(port)"])
        let without = try await WeirProgram(
            command,
            launcher: launcher + WeirProgram.instead("env"),
            seconds: 100
        ).finish()
        let under = try await run.watch(["--log", run.log], command, launcher: launcher)
        #expect(
            without.status == 0 && under.status == 0,
            "\(without.errors) \(under.errors)",
            sourceLocation: sourceLocation
        )
        #expect(under.text == without.text, sourceLocation: sourceLocation)
        // Broadcasts are named as not watched, and nothing else is said.
        let said = under.errors.split(separator: "\n").filter { $0.hasPrefix("weir: ") }
        #expect(
            said.allSatisfy { $0.hasPrefix("weir: not watched, calls on sockets: 2 to a group") },
            "\(under.errors)",
            sourceLocation: sourceLocation
        )
        let lines = try run.records()
        let clients = lines.all("open").compactMap { ($0["client"] as? String).flatMap { Endpoint($0) } }
        let opened = Set(clients.map { Int($0.port) })
        let ports = Self.ports(under.errors)
        #expect(!ports.isEmpty && Set(ports).isSubset(of: opened), sourceLocation: sourceLocation)
        #expect(lines.all("open").allSatisfy { $0["process"] is [String: Any] }, sourceLocation: sourceLocation)
        #expect(lines.all("open").count == lines.all("close").count, sourceLocation: sourceLocation)
    }

    @Test(
        "Streams are the same as without Weir, and the map of ports is what getsockname said",
        .needsProgram("python3"),
        arguments: ["127.0.0.1", "::1"]
    )
    func streams(host: String) async throws {
        let (server, endpoints) = try run.echo(host)
        try await compare("streams", host, endpoints[0].port)
        _ = try await server.stop()
    }

    @Test("Datagrams are the same as without Weir", .needsProgram("python3"), arguments: ["127.0.0.1", "::1"])
    func datagrams(host: String) async throws {
        let (server, endpoints) = try run.echo(host)
        try await compare("datagrams", host, endpoints[1].port)
        _ = try await server.stop()
    }

    @Test(
        "Toward another host, too, where the program's sockets are parked while a dial goes on",
        .needsRoot,
        .needsProgram("python3")
    )
    func otherHost() async throws {
        let (own, other) = (try NetworkNamespace(), try NetworkNamespace())
        try own.join(other)
        let (server, endpoints) = try run.echo("10.9.0.2", launcher: other.launcher)
        try await compare("streams", "10.9.0.2", endpoints[0].port, launcher: own.launcher)
        try FileManager.default.removeItem(atPath: run.log)
        try await compare("datagrams", "10.9.0.2", endpoints[1].port, launcher: own.launcher)
        _ = try await server.stop()
    }

    @Test("Many threads and many children at once", .needsProgram("python3"))
    func crowd() async throws {
        let (server, endpoints) = try run.echo()
        try await compare("crowd", "127.0.0.1", endpoints[0].port)
        let opened = try run.records().all("open")
        let processes = Set(opened.compactMap { ($0["process"] as? [String: Any])?["pid"] as? Int })
        #expect(opened.count == 64 * 20 + 200 && processes.count == 201)
        _ = try await server.stop()
    }
}
