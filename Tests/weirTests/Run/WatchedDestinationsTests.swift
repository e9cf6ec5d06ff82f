import Foundation
import Support
import Testing
import WeirWire

@Suite("Where watched programs connect, and its records", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct WatchedDestinationsTests {
    private let run: RunFixture

    init() throws {
        run = try RunFixture()
    }

    @Test(
        "What was delivered is what was recorded, under random options and toxics",
        .needsProgram("python3"),
        arguments: 1...8
    )
    func transfers(seed: Int) async throws {
        var dice = SeededGenerator(seed: UInt64(seed))
        let (server, endpoints) = try run.echo()
        var options = ["--log", run.log]
        let toxics = ["latency,down,latency=20,jitter=10", "latency,up,latency=5", "bandwidth,up,rate=20000"]
        for toxic in toxics where Bool.random(using: &dice) { options += ["--toxic", toxic] }
        // It cuts datagrams, too, so those go their own way then.
        let isSliced = Bool.random(using: &dice)
        if isSliced {
            options += ["--only", "tcp", "--toxic", "slicer,up,average_size=700,size_variation=300"]
            options += ["--toxic", "slicer,down,average_size=5000"]
        }
        if Bool.random(using: &dice) { options += ["--record", run.folder.path + "/capture.pcapng"] }
        if Bool.random(using: &dice) { options += ["--log-bytes"] }
        if Bool.random(using: &dice) { options += ["--expect-echo"] }
        let command = RunFixture.script("transfer", endpoints.map { "\($0.port)" } + ["\(seed)"])
        let ended = try await run.watch(options, command)
        #expect(ended.status == 0, "\(options): \(ended.errors)")
        let numbers = ended.text.split(whereSeparator: \.isWhitespace).compactMap {
            Int($0)
        }
        try #require(numbers.count == 4, "\(ended.errors)")
        let closed = try run.records().all("close")
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
        "What is refused, unreachable or denied is a flow without bytes, in the log and in the capture",
        .needsProgram("python3"),
        .needsProgram("tshark")
    )
    func refused() async throws {
        let (server, endpoints) = try run.echo()
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
        let capture = run.folder.path + "/capture.pcapng"
        let ended = try await run.watch(
            ["--log", run.log, "--record", capture, "--deny", "10.0.0.0/8", "--deny-with", "unreachable"],
            ["python3", "-I", "-c", code]
        )
        let said = "ECONNREFUSED\nECONNREFUSED\nENETUNREACH\n0\n"
        #expect(ended.text == said, "\(ended.errors)")
        #expect(ended.errors.contains("weir: denied by --deny: tcp 10.99.99.99:443\n"), "\(ended.errors)")
        let lines = try run.records()
        #expect(lines.all("refused").compactMap { $0["error"] as? String }.count == 3)
        let (opened, closed) = (lines.all("open"), lines.all("close"))
        #expect(
            opened.count == 4 && closed.compactMap { $0["reason"] as? String }.filter { $0 == "refused" }.count == 3
        )
        let clients = opened.compactMap { ($0["client"] as? String).flatMap { Endpoint($0) } }
        #expect(clients.count { $0.port == 0 } == 3)
        #expect(opened.allSatisfy { ($0["process"] as? [String: Any])?["name"] as? String == "python3" })
        let denied = opened.filter { $0["denied"] as? Bool == true }
        #expect(denied.compactMap { $0["listener"] as? String } == ["10.99.99.99:443"])
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
        let (server, endpoints) = try run.echo()
        let port = endpoints[0].port
        func result(_ options: [String], _ asked: UInt16) async throws -> String {
            try? FileManager.default.removeItem(atPath: run.log)
            let ended = try await run.watch(options + ["--log", run.log], Self.dial(asked))
            #expect(ended.status == 0, "\(ended.errors)")
            let output = ended.text.trimmingCharacters(in: .whitespacesAndNewlines)
            return "\(output), \(try run.records().all("open").count) flows"
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

    @Test("An echo that is not one ends with 1, unless the command has a status of its own", .needsProgram("python3"))
    func expectation() async throws {
        let server = try TCPServer()
        func status(_ wanted: Int) async throws -> Int32 {
            let code = """
                import socket, sys
                s = socket.create_connection(('127.0.0.1', \(server.endpoint.port)))
                s.sendall(b'hello')
                s.recv(9)
                sys.exit(\(wanted))
                """
            let serving = try Background {
                let peer = try server.accept()
                _ = try peer.receive(5)
                try peer.send("heLLo")
                peer.finish()
                _ = try peer.receiveToEnd()
            }
            let ended = try await run.watch(["--expect-echo"], ["python3", "-I", "-c", code])
            try serving.value()
            return ended.status
        }
        #expect(try await status(0) == 1)
        #expect(try await status(5) == 5)
    }

    @Test("A scenario's steps reach destinations of before and after", .needsProgram("python3"))
    func scenario() async throws {
        let (server, endpoints) = try run.echo()
        let (other, others) = try run.echo()
        let file = try run.folder.file(
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
        let ended = try await run.watch(["--scenario", file], ["python3", "-I", "-c", code])
        #expect(ended.status == 0 && ended.text == "True\n", "\(ended.errors)")
        #expect(ended.errors.contains("scenario: ") && !ended.errors.contains("cannot be made"))
        _ = try await server.stop()
        _ = try await other.stop()
    }

    @Test(
        "What the program gives up is recorded as such; what another thread or descriptor holds goes on",
        .needsRoot,
        .needsProgram("python3"),
        arguments: ["close", "exit", "alarm", "copy", "thread", "waits"]
    )
    func givenUp(how: String) async throws {
        let (own, other) = (try NetworkNamespace(), try NetworkNamespace())
        try own.join(other)
        // Nobody has the address: the kernel says so after one question, a second later.
        try own.run("sysctl", ["-qw", "net.ipv4.neigh.v0.mcast_solicit=1"])
        let code = """
            import errno, os, select, signal, socket, threading, time
            def dial():
                s = socket.socket()
                s.setblocking(False)
                assert s.connect_ex(('10.9.0.99', 80)) == errno.EINPROGRESS
                return s
            def end(s):
                select.select([], [s], [])
                print(errno.errorcode[s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)])
            def late(number, frame): raise TimeoutError
            def close():
                dial().close()
                # The run goes on.
                end(dial())
            def exit(): os._exit(0 if dial() else 1)
            def alarm():
                signal.signal(signal.SIGALRM, late)
                signal.setitimer(signal.ITIMER_REAL, 0.2)
                try: socket.create_connection(('10.9.0.99', 80))
                except TimeoutError: pass
            def copy():
                s = dial()
                t = s.dup()
                s.close()
                end(t)
            def thread():
                found = []
                thread = threading.Thread(target=lambda: found.append(dial()))
                thread.start()
                thread.join()
                end(found[0])
            def waits():
                s = socket.socket()
                def work():
                    try: s.connect(('10.9.0.99', 80))
                    except OSError as error: print(errno.errorcode[error.errno])
                thread = threading.Thread(target=work)
                thread.start()
                time.sleep(0.3)
                os.close(s.detach())
                thread.join()
            \(how)()
            """
        let ended = try await run.watch(["--log", run.log], ["python3", "-I", "-c", code], launcher: own.launcher)
        let isAwaited = how != "exit" && how != "alarm"
        #expect(ended.status == 0 && ended.text == (isAwaited ? "EHOSTUNREACH\n" : ""), "\(ended.errors)")
        let lines = try run.records()
        let errors = lines.all("refused").compactMap { $0["error"] as? String }.sorted()
        let wanted = isAwaited ? ["EHOSTUNREACH"] : []
        #expect(errors == (how == "close" || !isAwaited ? ["ECANCELED"] : []) + wanted)
        #expect(lines.all("open").allSatisfy { ($0["process"] as? [String: Any])?["name"] as? String == "python3" })
        #expect(lines.all("open").count == lines.all("close").count)
    }
}
