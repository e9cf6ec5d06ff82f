import Foundation
import Support
import Testing
import WeirWire

@Suite("Programs under weir run", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct WatchedProgramsTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static func script(_ name: String, _ arguments: [String]) -> [String] {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return ["python3", "-I", beside.appendingPathComponent("Programs/\(name).py").path] + arguments
    }

    /// Starts `weir echo`, and returns its ports.
    private func echo(_ host: String = "127.0.0.1", launcher: [String] = []) throws -> (WeirProgram, [Endpoint]) {
        let address = host.contains(":") ? "[\(host)]" : host
        let server = try WeirProgram(
            ["echo", "--show", "none", "tcp:\(address):0", "udp:\(address):0"],
            launcher: launcher,
            seconds: 100
        )
        return (server, try server.listening(2))
    }

    private var log: String { folder.path + "/log" }

    private func watch(
        _ options: [String],
        _ command: [String],
        launcher: [String] = []
    ) async throws -> WeirProgram.Ended {
        try await WeirProgram(
            ["run", "--show", "none", "-o", folder.path + "/shown"] + options + ["--"] + command,
            launcher: launcher,
            seconds: 100
        ).finish()
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
        let command = Self.script(name, [host, "\(port)"])
        let without = try await WeirProgram(
            command,
            launcher: launcher + WeirProgram.instead("env"),
            seconds: 100
        ).finish()
        let under = try await watch(["--log", log], command, launcher: launcher)
        let (wanted, got) = (
            String(decoding: without.output, as: UTF8.self), String(decoding: under.output, as: UTF8.self)
        )
        #expect(
            without.status == 0 && under.status == 0,
            "\(without.errors) \(under.errors)",
            sourceLocation: sourceLocation
        )
        #expect(got == wanted, sourceLocation: sourceLocation)
        // Broadcasts are named as not watched, and nothing else is said.
        let said = under.errors.split(separator: "\n").filter { $0.hasPrefix("weir: ") }
        #expect(
            said.allSatisfy { $0.hasPrefix("weir: not watched, calls on sockets: 2 to a group") },
            "\(under.errors)",
            sourceLocation: sourceLocation
        )
        let lines = try LogLines(try folder.read("log"))
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
        let (server, endpoints) = try echo(host)
        try await compare("streams", host, endpoints[0].port)
        _ = try await server.stop()
    }

    @Test("Datagrams are the same as without Weir", .needsProgram("python3"), arguments: ["127.0.0.1", "::1"])
    func datagrams(host: String) async throws {
        let (server, endpoints) = try echo(host)
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
        let (server, endpoints) = try echo("10.9.0.2", launcher: other.launcher)
        try await compare("streams", "10.9.0.2", endpoints[0].port, launcher: own.launcher)
        try FileManager.default.removeItem(atPath: log)
        try await compare("datagrams", "10.9.0.2", endpoints[1].port, launcher: own.launcher)
        _ = try await server.stop()
    }

    @Test("A user without privileges can watch", .needsRoot, .needsProgram("setpriv"), .needsProgram("python3"))
    func unprivileged() async throws {
        let (server, endpoints) = try echo()
        let command = Self.script("transfer", endpoints.map { "\($0.port)" } + ["1"])
        let weir = try WeirProgram(
            ["run", "--show", "summary", "--"] + command,
            launcher: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"],
            seconds: 60
        )
        let ended = try await weir.finish()
        #expect(ended.status == 0 && ended.errors.contains("total: 6 tcp flows, 4 udp flows"), "\(ended.errors)")
        _ = try await server.stop()
    }

    @Test(
        "What was delivered is what was recorded, under random options and toxics",
        .needsProgram("python3"),
        arguments: 1...8
    )
    func transfers(seed: Int) async throws {
        var dice = SeededGenerator(seed: UInt64(seed))
        let (server, endpoints) = try echo()
        var options = ["--log", log]
        let toxics = ["latency,down,latency=20,jitter=10", "latency,up,latency=5", "bandwidth,up,rate=20000"]
        for toxic in toxics where Bool.random(using: &dice) { options += ["--toxic", toxic] }
        // It cuts datagrams, too, so those go their own way then.
        let isSliced = Bool.random(using: &dice)
        if isSliced {
            options += ["--only", "tcp", "--toxic", "slicer,up,average_size=700,size_variation=300"]
            options += ["--toxic", "slicer,down,average_size=5000"]
        }
        if Bool.random(using: &dice) { options += ["--record", folder.path + "/capture.pcapng"] }
        if Bool.random(using: &dice) { options += ["--log-bytes"] }
        if Bool.random(using: &dice) { options += ["--expect-echo"] }
        let command = Self.script("transfer", endpoints.map { "\($0.port)" } + ["\(seed)"])
        let ended = try await watch(options, command)
        #expect(ended.status == 0, "\(options): \(ended.errors)")
        let numbers = String(decoding: ended.output, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap {
            Int($0)
        }
        try #require(numbers.count == 4, "\(ended.errors)")
        let closed = try LogLines(try folder.read("log")).all("close")
        func sum(_ transport: String, _ key: String) -> Int {
            closed.filter { $0["transport"] as? String == transport }.reduce(0) { $0 + ($1[key] as? Int ?? 0) }
        }
        let wanted = isSliced ? [numbers[0], numbers[1], 0, 0] : numbers
        let recorded = [
            sum("tcp", "bytes_up"), sum("tcp", "bytes_down"), sum("udp", "bytes_up"), sum("udp", "bytes_down"),
        ]
        #expect(recorded == wanted, "\(options)")
        _ = try await server.stop()
    }

    @Test(
        "The exit status is the command's",
        arguments: [
            (["sh", "-c", "exit 0"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "exit 255"], 255),
            (["sh", "-c", "kill -TERM $$"], 143), (["sh", "-c", "kill -KILL $$"], 137),
            (["no-such-command-anywhere"], 127), (["/no/such/command"], 127), (["/etc/passwd"], 126), (["/"], 126),
        ] as [([String], Int32)]
    )
    func statuses(command: [String], status: Int32) async throws {
        let ended = try await watch([], command)
        #expect(ended.status == status, "\(ended.errors)")
        let isWeirs = status == 126 || status == 127
        #expect(
            ended.errors.split(separator: "\n").count { $0.hasPrefix("weir: ") } == (isWeirs ? 1 : 0),
            "\(ended.errors)"
        )
    }

    @Test("Standard input and output are the command's own")
    func streamsOfTheCommand() async throws {
        let weir = try WeirProgram(["run", "--show", "none", "--", "tr", "a-z", "A-Z"])
        let ended = try await weir.finish(sending: Array("what goes in".utf8))
        #expect(String(decoding: ended.output, as: UTF8.self) == "WHAT GOES IN")
    }

    @Test("SIGTERM goes to the command, which decides")
    func terminated() async throws {
        let weir = try WeirProgram(
            [
                "run", "--show", "none", "--", "sh", "-c",
                "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
            ]
        )
        #expect(try weir.readOutput(through: "ready\n") == "ready\n")
        weir.send(SIGTERM)
        let ended = try await weir.finish(closesInput: false)
        #expect(ended.status == 3 && String(decoding: ended.output, as: UTF8.self) == "caught\n")
    }

    @Test(
        "What is refused, unreachable or denied is a flow without bytes, in the log and in the capture",
        .needsProgram("python3"),
        .needsProgram("tshark")
    )
    func refused() async throws {
        let (server, endpoints) = try echo()
        let code = """
            import errno, socket
            def dial(host, port, blocks=True):
                s = socket.socket()
                s.setblocking(blocks)
                result = s.connect_ex((host, port))
                if not blocks:
                    socket.socket().close()
                    result = result if result != errno.EINPROGRESS else s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                print(errno.errorcode.get(result, result))
            dial('127.0.0.1', 9)
            dial('127.0.0.1', 9, False)
            dial('10.99.99.99', 443)
            dial('127.0.0.1', \(endpoints[0].port))
            """
        let capture = folder.path + "/capture.pcapng"
        let ended = try await watch(
            ["--log", log, "--record", capture, "--deny", "10.0.0.0/8", "--deny-with", "unreachable"],
            ["python3", "-I", "-c", code]
        )
        let said = "ECONNREFUSED\nECONNREFUSED\nENETUNREACH\n0\n"
        #expect(String(decoding: ended.output, as: UTF8.self) == said, "\(ended.errors)")
        #expect(ended.errors.contains("weir: denied by --deny: tcp 10.99.99.99:443\n"), "\(ended.errors)")
        let lines = try LogLines(try folder.read("log"))
        #expect(lines.all("refused").compactMap { $0["error"] as? String }.count == 3)
        let (opened, closed) = (lines.all("open"), lines.all("close"))
        #expect(
            opened.count == 4 && closed.compactMap { $0["reason"] as? String }.filter { $0 == "refused" }.count == 3
        )
        let clients = opened.compactMap { ($0["client"] as? String).flatMap { Endpoint($0) } }
        #expect(clients.count { $0.port == 0 } == 3)
        #expect(opened.allSatisfy { ($0["process"] as? [String: Any])?["name"] as? String == "python3" })
        // Only the dials that sent a packet have any, and only the relay's own.
        let tshark = try await WeirProgram(
            ["tshark", "-r", capture, "-Y", "tcp.dstport == 9", "-T", "fields", "-e", "tcp.srcport"],
            launcher: WeirProgram.instead("env"),
            seconds: 60
        ).finish()
        let sources = String(decoding: tshark.output, as: UTF8.self).split(separator: "\n")
        let egress = opened.compactMap { ($0["egress"] as? String).flatMap { Endpoint($0) }.map { "\($0.port)" } }
        #expect(sources.count == 2 && sources.allSatisfy { egress.contains(String($0)) }, "\(tshark.errors)")
        _ = try await server.stop()
    }

    @Test("Many threads and many children at once", .needsProgram("python3"))
    func crowd() async throws {
        let (server, endpoints) = try echo()
        try await compare("crowd", "127.0.0.1", endpoints[0].port)
        let opened = try LogLines(try folder.read("log")).all("open")
        let processes = Set(opened.compactMap { ($0["process"] as? [String: Any])?["pid"] as? Int })
        #expect(opened.count == 64 * 20 + 200 && processes.count == 201)
        _ = try await server.stop()
    }

    private static func dial(_ port: UInt16) -> [String] {
        let code = """
            import errno, socket
            s = socket.socket()
            result = s.connect_ex(('127.0.0.1', \(port)))
            print(errno.errorcode.get(result, result), s.getpeername()[1] if result == 0 else '')
            """
        return ["python3", "-I", "-c", code]
    }

    @Test(
        "A denied destination gets its error, another one is excluded, and a third leads elsewhere",
        .needsProgram("python3")
    )
    func filters() async throws {
        let (server, endpoints) = try echo()
        let port = endpoints[0].port
        func result(_ options: [String], _ asked: UInt16) async throws -> String {
            try? FileManager.default.removeItem(atPath: log)
            let ended = try await watch(options + ["--log", log], Self.dial(asked))
            #expect(ended.status == 0, "\(ended.errors)")
            let output = String(decoding: ended.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return "\(output), \(try LogLines(try folder.read("log")).all("open").count) flows"
        }
        #expect(try await result([], port) == "0 \(port), 1 flows")
        #expect(try await result(["--deny", "\(port)"], port) == "ECONNREFUSED, 1 flows")
        #expect(try await result(["--deny", "localhost", "--deny-with", "acces"], port) == "EACCES, 1 flows")
        #expect(try await result(["--except", "127.0.0.0/8"], port) == "0 \(port), 0 flows")
        #expect(try await result(["--only", "udp"], port) == "0 \(port), 0 flows")
        #expect(try await result(["--only", "tcp:\(port)"], port) == "0 \(port), 1 flows")
        // What is denied or mapped is so, whatever else is chosen.
        #expect(try await result(["--only", "tcp:1", "--deny", "\(port)"], port) == "ECONNREFUSED, 1 flows")
        let map = ["--map", "127.0.0.1:9=127.0.0.1:\(port)"]
        #expect(try await result(["--except", "127.0.0.0/8"] + map, 9) == "0 9, 1 flows")
        // The program is told the destination that it asked for.
        #expect(try await result(["--map", "127.0.0.1:9=127.0.0.1:\(port)"], 9) == "0 9, 1 flows")
        _ = try await server.stop()
    }

    @Test("A second run inside the first is refused, as a program can have one listener")
    func nested() async throws {
        let ended = try await watch([], [try WeirProgram.path(), "run", "--show", "none", "--", "true"])
        #expect(ended.status == 69)
        #expect(ended.errors.contains("weir: the command cannot be watched: it would be under two seccomp listeners"))
    }

    @Test("An echo that is not one ends with 1, unless the command has a status of its own", .needsProgram("python3"))
    func expectation() async throws {
        let server = try TCPServer()
        func run(_ status: Int) async throws -> Int32 {
            let code = """
                import socket, sys
                s = socket.create_connection(('127.0.0.1', \(server.endpoint.port)))
                s.sendall(b'hello')
                s.recv(9)
                sys.exit(\(status))
                """
            let serving = try Background {
                let peer = try server.accept()
                _ = try peer.receive(5)
                try peer.send("heLLo")
                peer.finish()
                _ = try peer.receiveToEnd()
            }
            let ended = try await watch(["--expect-echo"], ["python3", "-I", "-c", code])
            try serving.value()
            return ended.status
        }
        #expect(try await run(0) == 1)
        #expect(try await run(5) == 5)
    }

    @Test(
        "What a program leaves behind keeps its flows, and new ones go their own way",
        .needsProgram("python3"),
        arguments: [false, true]
    )
    func leftBehind(waits: Bool) async throws {
        let (server, endpoints) = try echo()
        let code = """
            import os, socket, sys, time
            def echo(s):
                s.sendall(b'hello')
                return s.recv(9)
            s = socket.create_connection(('127.0.0.1', \(endpoints[0].port)))
            if os.fork() > 0: os._exit(4)
            # The command has ended once this is another one's child.
            while os.getppid() == int(sys.argv[1]): time.sleep(0.01)
            time.sleep(0.3)
            print(echo(s), echo(socket.create_connection(('127.0.0.1', \(endpoints[0].port)))))
            """
        // A shell's number stays the command's when it starts Python in its place.
        let script = "exec python3 -I -c \"$1\" $$"
        let options = (waits ? ["--wait"] : []) + ["--log", log]
        let ended = try await watch(options, ["sh", "-c", script, "sh", code])
        #expect(ended.status == 4 && String(decoding: ended.output, as: UTF8.self) == "b'hello' b'hello'\n")
        // Once its last flow has ended, the program may have ended, too, or be about to.
        let line =
            "weir: programs that the command started still run, unwatched from now on; --wait waits for them\n"
        #expect(ended.errors.isEmpty || !waits && ended.errors == line)
        #expect(try LogLines(try folder.read("log")).all("open").count == (waits ? 2 : 1))
        _ = try await server.stop()
    }

    @Test("A program goes on by itself when Weir is killed, also in the middle of its calls", .needsProgram("python3"))
    func killed() async throws {
        let (server, endpoints) = try echo()
        let code = """
            import os, socket, threading, time
            def late():
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(('127.0.0.1', 0))
                ports.append(s.getsockname()[1])
                got.append(s.recvfrom(9)[0])
            ports, got = [], []
            thread = threading.Thread(target=late)
            thread.start()
            while not ports: time.sleep(0.01)
            socket.create_connection(('127.0.0.1', \(endpoints[0].port)))
            watcher = os.getppid()
            print('ready', flush=True)
            while os.getppid() == watcher: time.sleep(0.01)
            s = socket.create_connection(('127.0.0.1', \(endpoints[0].port)))
            s.sendall(b'hello')
            answer = s.recv(9)
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'late', ('127.0.0.1', ports[0]))
            thread.join()
            status = os.waitstatus_to_exitcode(os.system('true'))
            print(answer, got, status)
            """
        let weir = try WeirProgram(["run", "--show", "none", "--", "python3", "-I", "-c", code])
        #expect(try weir.readOutput(through: "ready\n") == "ready\n")
        weir.send(SIGKILL)
        // Its output ends with the program's.
        let ended = try await weir.finish(closesInput: false)
        #expect(String(decoding: ended.output, as: UTF8.self) == "b'hello' [b'late'] 0\n", "\(ended.errors)")
        _ = try await server.stop()
    }

    @Test("A scenario's steps reach destinations of before and after", .needsProgram("python3"))
    func scenario() async throws {
        let (server, endpoints) = try echo()
        let (other, others) = try echo()
        let file = try folder.file(
            "steps.yaml",
            Array("steps:\n  - {at: 200ms, add: 'latency,down,latency=150'}\n".utf8)
        )
        let code = """
            import socket, time
            def late(port):
                s = socket.create_connection(('127.0.0.1', port))
                start = time.monotonic()
                s.sendall(b'hello')
                assert s.recv(9) == b'hello'
                return time.monotonic() - start > 0.14
            while not late(\(endpoints[0].port)): time.sleep(0.02)
            print(late(\(others[0].port)))
            """
        let ended = try await watch(["--scenario", file], ["python3", "-I", "-c", code])
        #expect(ended.status == 0 && String(decoding: ended.output, as: UTF8.self) == "True\n", "\(ended.errors)")
        #expect(ended.errors.contains("scenario: ") && !ended.errors.contains("cannot be made"))
        _ = try await server.stop()
        _ = try await other.stop()
    }

    @Test("A program that is stopped alone goes on with SIGCONT", .needsProgram("python3"))
    func stopped() async throws {
        let (server, endpoints) = try echo()
        let code = """
            import os, socket, sys
            print(os.getpid(), flush=True)
            sys.stdin.readline()
            s = socket.create_connection(('127.0.0.1', \(endpoints[0].port)))
            s.sendall(b'hello')
            print(s.recv(9))
            """
        let weir = try WeirProgram(["run", "--show", "none", "--", "python3", "-I", "-c", code])
        let process = try #require(Int32(try weir.readOutput(through: "\n").dropLast()))
        kill(process, SIGSTOP)
        kill(process, SIGCONT)
        let ended = try await weir.finish(sending: Array("go\n".utf8))
        #expect(ended.status == 0 && String(decoding: ended.output, as: UTF8.self) == "b'hello'\n", "\(ended.errors)")
        _ = try await server.stop()
    }
}
