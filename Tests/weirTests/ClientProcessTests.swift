import Foundation
import Support
import Testing
import WeirRelay
import WeirWire

@Suite("The processes behind clients of weir relay", .serialized, .tags(.network, .slow), .timeLimit(.minutes(5)))
struct ClientProcessTests {
    private let folder: TemporaryFolder
    private let echo: WeirProgram
    private let relay: WeirProgram
    private let tcp: Endpoint
    private let udp: Endpoint

    init() throws {
        folder = try TemporaryFolder()
        echo = try WeirProgram(["echo", "--show", "none", "tcp:0", "udp:0"], seconds: 120)
        let servers = try echo.listening(2)
        relay = try WeirProgram(
            ["relay", "--show", "none", "--log", folder.path + "/log", "--record", folder.path + "/r.pcapng"]
                + ["tcp:0=\(servers[0])", "udp:0=\(servers[1])"],
            seconds: 120
        )
        let endpoints = try relay.listening(2)
        (tcp, udp) = (endpoints[0], endpoints[1])
    }

    /// Connects so often, keeps all for a time, and prints a line a socket: the port and the process.
    private static let client = """
        import os, socket, sys, time
        port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
        sockets = []
        for _ in range(count):
            s = socket.create_connection(('127.0.0.1', port))
            print(s.getsockname()[1], os.getpid())
            if seconds > 0: sockets.append(s)
            else: s.close()
        time.sleep(seconds)
        """

    /// Runs a number of clients at once, and returns the process of each port.
    private func run(processes: Int, count: Int, seconds: Double) async throws -> [Int: Int] {
        let (port, script) = ("\(tcp.port)", Self.client)
        return try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<processes {
                group.addTask {
                    try Background {
                        try ChildProgram.run("python3", ["-c", script, port, "\(count)", "\(seconds)"]).output
                    }.value()
                }
            }
            var owners: [Int: Int] = [:]
            for try await output in group {
                for line in output.split(separator: "\n") {
                    let numbers = line.split(separator: " ").compactMap { Int($0) }
                    guard numbers.count == 2 else { throw HelperError("a client says: \(line)") }
                    owners[numbers[0]] = numbers[1]
                }
            }
            return owners
        }
    }

    /// Ends the relay, and returns the processes that it found by the clients' ports; 0 where one is not known.
    private func found() async throws -> (ports: [Int: Int], ended: WeirProgram.Ended) {
        let ended = try await relay.stop()
        _ = try await echo.stop()
        var ports: [Int: Int] = [:]
        for line in try LogLines(try folder.read("log")).all("open") {
            let text = try #require(line["client"] as? String)
            let client = try #require(Endpoint(text))
            ports[Int(client.port)] = (line["process"] as? [String: Any])?["pid"] as? Int ?? 0
        }
        return (ports, ended)
    }

    @Test("200 clients that live 100 ms have the process that ss shows", .needsProgram("python3"), .needsProgram("ss"))
    func shortLived() async throws {
        let (port, areOver) = (tcp.port, Lock(false))
        // These live until ss has seen them, however busy the machine is.
        var kept = try (0..<25).map { _ in try TCPPeer(to: tcp) }
        // Their process is known before others are made: a new one has this one's sockets until it runs its own program.
        let deadline = Deadline()
        while (try? LogLines(try folder.read("log")).all("open").count) ?? 0 < kept.count, !deadline.isOver {
            await Task.yield()
        }
        let watcher = try Background {
            var seen: [Int: Set<Int>] = [:]
            var isLast = false
            while !isLast {
                isLast = areOver.withLock { $0 }
                // It walks through all processes without a pause, and must not keep the relay from doing so.
                let shown = try ChildProgram.run("nice", ["ss", "-Htnp", "dst", "127.0.0.1:\(port)"]).output
                for (client, process) in Self.owners(shown) { seen[client, default: []].insert(process) }
            }
            return seen
        }
        defer { areOver.withLock { $0 = true } }
        var truth = try await run(processes: 10, count: 20, seconds: 0.1)
        areOver.withLock { $0 = true }
        let shown = try watcher.value()
        #expect(truth.count == 200)
        for client in kept { truth[Int(try #require(client.socket.local).port)] = Int(getpid()) }
        kept.removeAll()
        let (ports, ended) = try await found()
        #expect(ports == truth)
        #expect(shown.count >= 25)
        for (client, processes) in shown { #expect(ports[client].map { processes.contains($0) } ?? false) }
        // The summary has them too.
        #expect(ended.errors.contains("  process\n") && ended.errors.contains("  python3 "))
        let comments = try await WeirProgram(["show", "--packets", "--json", folder.path + "/r.pcapng"]).finish().output
        #expect(!comments.isEmpty)
        let bytes = String(decoding: try folder.read("r.pcapng"), as: UTF8.self)
        for process in Set(truth.values) where process != Int(getpid()) {
            #expect(bytes.contains("; process python3/\(process) user "))
        }
    }

    /// Reads the lines of `ss -Htnp`: the port of this end, and the process.
    private static func owners(_ text: String) -> [(Int, Int)] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 3, let local = Endpoint(String(words[3])),
                let mark = line.range(of: "pid="), let process = Int(line[mark.upperBound...].prefix(while: \.isNumber))
            else { return nil }
            return (Int(local.port), process)
        }
    }

    @Test("A client that is gone at once has its process, or none, never another's", .needsProgram("python3"))
    func shorter() async throws {
        let truth = try await run(processes: 4, count: 100, seconds: 0)
        let (ports, _) = try await found()
        for (port, process) in ports { #expect(process == 0 || process == truth[port]) }
        let known = ports.values.count { $0 != 0 }
        print("SHORTER \(known) of \(ports.count) known")
    }

    /// Opens so many sockets, and then others among them, one after another, with a pause between.
    private static let hoarder = """
        import os, socket, sys, time
        port = int(sys.argv[1])
        kept = [socket.socket() for _ in range(1500)]
        def connect():
            s = socket.create_connection(('127.0.0.1', port))
            kept.append(s)
            print(s.getsockname()[1], os.getpid())
            time.sleep(0.05)
        for _ in range(3): connect()
        for place in (1000, 500, 3): kept[place].close()
        for _ in range(6): connect()
        time.sleep(0.2)
        """

    @Test("Of a client with many sockets a new one is found, wherever it is among them", .needsProgram("python3"))
    func hoarder() async throws {
        let port = "\(tcp.port)"
        let output = try Background { try ChildProgram.run("python3", ["-c", Self.hoarder, port]).output }.value()
        var truth: [Int: Int] = [:]
        for line in output.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { throw HelperError("a client says: \(line)") }
            truth[numbers[0]] = numbers[1]
        }
        #expect(truth.count == 9)
        #expect(try await found().ports == truth)
    }

    @Test("The map of ports is what ss shows on both legs", .needsProgram("ss"))
    func map() async throws {
        var clients: [TCPPeer] = []
        for _ in 0..<50 {
            let client = try TCPPeer(to: tcp)
            try client.send("hello")
            _ = try client.receive(5)
            clients.append(client)
        }
        let lines = try ChildProgram.run("ss", ["-Htn"]).output.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).suffix(2).map(String.init)
        }
        _ = try await relay.stop()
        _ = try await echo.stop()
        for line in try LogLines(try folder.read("log")).all("open") {
            for (one, other) in [("client", "listener"), ("egress", "server")] {
                let pair = [try #require(line[one] as? String), try #require(line[other] as? String)]
                #expect(lines.contains(pair) && lines.contains(pair.reversed()))
            }
        }
        clients.removeAll()
    }

    @Test("The process behind a datagram is known too")
    func datagrams() async throws {
        let client = try UDPPeer(to: udp)
        try client.send(Array("hello".utf8))
        _ = try client.receive()
        let port = Int(try #require(client.local).port)
        let (ports, _) = try await found()
        #expect(ports[port] == Int(getpid()))
    }
}

@Suite("weir relay without processes", .tags(.network), .timeLimit(.minutes(1)))
struct NoProcessesTests {
    @Test("With --no-processes nobody looks")
    func off() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--no-processes", "--show", "none", "--log", "-", server.route])
        let endpoint = try program.listening()[0]
        let client = try TCPPeer(to: endpoint)
        _ = try server.accept()
        client.close()
        let ended = try await program.stop()
        #expect(try LogLines(ended.output).all("open").allSatisfy { $0["process"] == nil })
        #expect(!ended.errors.contains("processes:"))
    }
}
