import Foundation
import Support
import Testing
import WeirWire

@Suite("Servers under weir run", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct ServeTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var log: String { folder.path + "/log" }

    private static func script(_ name: String, _ arguments: String...) -> [String] {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return ["python3", "-I", beside.appendingPathComponent("Programs/\(name).py").path] + arguments
    }

    private func start(_ port: UInt16, _ options: [String], _ command: [String]) throws -> WeirProgram {
        let shown = ["--show", "none", "-o", folder.path + "/shown"]
        return try WeirProgram(["run", "--serve", "\(port)"] + shown + options + ["--"] + command, seconds: 100)
    }

    /// The ports that a program said on standard error.
    private static func ports(_ errors: String) -> [Int] {
        errors.split(separator: "\n").compactMap { $0.hasPrefix("port ") ? Int($0.dropFirst(5)) : nil }.sorted()
    }

    private static func port(_ endpoint: Any?) -> Int? {
        (endpoint as? String).flatMap { Endpoint($0) }.map { Int($0.port) }
    }

    @Test(
        "A server sees its clients as without Weir, each of which has one flow",
        .needsProgram("python3"),
        .needsIPv6,
        arguments: ["127.0.0.1", "0.0.0.0", "::1", "::"]
    )
    func sees(host: String) async throws {
        let port = try LoopbackPort.free()
        let command = Self.script("serving", host, "\(port)")
        let without = try await WeirProgram(command, launcher: WeirProgram.instead("env"), seconds: 100).finish()
        let under = try await start(port, ["--log", log], command).finish()
        let (wanted, got) = (
            String(decoding: without.output, as: UTF8.self), String(decoding: under.output, as: UTF8.self)
        )
        #expect(without.status == 0 && under.status == 0, "\(without.errors) \(under.errors)")
        #expect(got == wanted)
        #expect(!under.errors.contains("weir:"), "\(under.errors)")
        let lines = try LogLines(try folder.read("log"))
        #expect(lines.all("open").compactMap { Self.port($0["client"]) }.sorted() == Self.ports(under.errors))
        #expect(lines.all("open").allSatisfy { Self.port($0["listener"]) == Int(port) })
        #expect(lines.all("open").count == lines.all("close").count)
    }

    @Test(
        "Clients are refused until the server listens, and after that; what was delivered is what was recorded",
        .needsProgram("python3"),
        .needsIPv6,
        arguments: 1...8
    )
    func clients(seed: Int) async throws {
        var dice = SeededGenerator(seed: UInt64(seed))
        let count = Int.random(in: 1...12, using: &dice)
        let sizes = (0..<count).map { _ in [0, 1, 1000, 100_000, 1_000_000].randomElement(using: &dice) ?? 0 }
        var options = ["--log", log]
        for toxic in ["latency,down,latency=20,jitter=10", "latency,up,latency=5", "slicer,up,average_size=900"]
        where Bool.random(using: &dice) { options += ["--toxic", toxic] }
        if Bool.random(using: &dice) { options += ["--record", folder.path + "/capture.pcapng"] }
        if Bool.random(using: &dice) { options += ["--log-bytes"] }
        if Bool.random(using: &dice) { options += ["--expect-echo"] }
        let host = ["127.0.0.1", "0.0.0.0", "::1", "::"].randomElement(using: &dice) ?? "::"
        let near = Endpoint(address: host.contains(":") ? .loopbackV6 : .loopbackV4, port: try LoopbackPort.free())
        let weir = try start(near.port, options, Self.script("echoing", host, "\(near.port)", "\(count)"))
        #expect(try weir.readOutput(through: "bound\n") == "bound\n")
        #expect(throws: (any Error).self) { _ = try TCPPeer(to: near) }
        try weir.write("listen\n")
        var line = try weir.readErrorLine()
        if line.hasPrefix("seed ") { line = try weir.readErrorLine() }
        let shown = host.contains(":") ? "[\(host)]" : host
        #expect(line.hasPrefix("listening tcp \(shown):\(near.port) -> "), "\(line)")
        let peers = try (0..<count).map { _ in try TCPPeer(to: near) }
        let answers = try zip(peers, sizes).enumerated().map { number, peer in
            let (peer, size) = peer
            return try Background {
                let sending = try Background { try peer.send(size, seed: UInt64(number), finishing: true) }
                let received = try peer.receiveToEnd(seed: UInt64(number))
                try sending.value()
                return received
            }
        }
        for (answer, size) in zip(answers, sizes) { #expect(try answer.value() == TCPPeer.Received(size)) }
        let output = try weir.readOutput(through: "closed\n").split(separator: "\n").filter { $0 != "listening" }
        #expect(throws: (any Error).self) { _ = try TCPPeer(to: near) }
        let ended = try await weir.finish(sending: Array("end\n".utf8))
        #expect(ended.status == 0 && !ended.errors.contains("weir:"), "\(options): \(ended.errors)")
        let said = zip(peers, sizes).compactMap { peer, size in peer.local.map { "client \($0.port) \(size)" } }
        #expect(output.map(String.init).sorted() == (said + ["closed"]).sorted())
        let lines = try LogLines(try folder.read("log"))
        let clients = lines.all("open").compactMap { $0["client"] as? String }
        #expect(clients.sorted() == peers.compactMap { $0.local?.description }.sorted())
        let closed = lines.all("close")
        #expect(closed.compactMap { $0["bytes_up"] as? Int }.sorted() == sizes.sorted())
        #expect(closed.compactMap { $0["bytes_down"] as? Int }.sorted() == sizes.sorted())
    }

    @Test(
        "Toxics hold for both directions",
        .needsProgram("python3"),
        arguments: [("up", 5, 5), ("down", 3, 9)]
    )
    func toxics(direction: String, most: Int, arrived: Int) async throws {
        let port = try LoopbackPort.free()
        let weir = try start(
            port,
            ["--toxic", "limit_data,\(direction),bytes=\(most)"],
            Self.script("echoing", "127.0.0.1", "\(port)", "1")
        )
        try weir.write("listen\n")
        _ = try weir.readOutput(through: "listening\n")
        let peer = try TCPPeer(to: Endpoint(address: .loopbackV4, port: port))
        try peer.send("ninebytes")
        let received = try peer.receiveToEnd().bytes
        #expect(Array("ninebytes".utf8).starts(with: received) && received.count <= most)
        if direction == "down" { #expect(received.count == most) }
        let output = try weir.readOutput(through: "closed\n")
        #expect(output.contains("client \(peer.local?.port ?? 0) \(arrived)\n"), "\(output)")
        // The flow's server has ended, and its client is to end, too.
        peer.close()
        #expect(try await weir.finish(sending: Array("end\n".utf8)).status == 0)
    }

    @Test("A port on which the command has not listened is named")
    func unused() async throws {
        let port = try LoopbackPort.free()
        let ended = try await start(port, [], ["true"]).finish()
        #expect(ended.status == 0)
        #expect(ended.errors == "weir: --serve \(port): the command has not listened on TCP port \(port)\n")
    }

    @Test(
        "A connection that the program may not make is no connection to its own server either",
        .needsProgram("python3"),
        arguments: [(["--deny", "localhost"], "ECONNREFUSED"), (["--only", "udp"], "0"), ([], "0")]
    )
    func denied(options: [String], result: String) async throws {
        let port = try LoopbackPort.free()
        let code = """
            import errno, socket
            s = socket.create_server(('127.0.0.1', \(port)))
            result = socket.socket().connect_ex(('127.0.0.1', \(port)))
            print(errno.errorcode.get(result, result))
            """
        let ended = try await start(port, options, ["python3", "-I", "-c", code]).finish()
        #expect(ended.status == 0 && String(decoding: ended.output, as: UTF8.self) == result + "\n", "\(ended.errors)")
    }
}
