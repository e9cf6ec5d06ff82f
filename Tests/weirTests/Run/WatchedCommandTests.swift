import Foundation
import Support
import Testing
import WeirWire

@Suite("The command of weir run, from its start to its end", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct WatchedCommandTests {
    private let run: RunFixture

    init() throws {
        run = try RunFixture()
    }

    @Test("A user without privileges can watch", .needsRoot, .needsProgram("setpriv"), .needsProgram("python3"))
    func unprivileged() async throws {
        let (server, endpoints) = try run.echo()
        let command = RunFixture.script("transfer", endpoints.map { "\($0.port)" } + ["1"])
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
        "The exit status is the command's",
        arguments: [
            (["sh", "-c", "exit 0"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "exit 255"], 255),
            (["sh", "-c", "kill -TERM $$"], 143), (["sh", "-c", "kill -KILL $$"], 137),
            (["no-such-command-anywhere"], 127), (["/no/such/command"], 127), (["/etc/passwd"], 126), (["/"], 126),
        ] as [([String], Int32)]
    )
    func statuses(command: [String], status: Int32) async throws {
        let ended = try await run.watch([], command)
        #expect(ended.status == status, "\(ended.errors)")
        let isWeirs = status == 126 || status == 127
        #expect(
            ended.errors.split(separator: "\n").count { $0.hasPrefix("weir: ") } == (isWeirs ? 1 : 0),
            "\(ended.errors)"
        )
    }

    @Test("A command in a folder that the user may not enter cannot be executed", .needsRoot, .needsProgram("setpriv"))
    func hidden() async throws {
        let hidden = run.folder.path + "/hidden"
        try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: false)
        chmod(run.folder.path, 0o755)
        chmod(hidden, 0o700)
        let weir = try WeirProgram(
            ["run", "--show", "none", hidden + "/command"],
            launcher: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
            seconds: 60
        )
        let ended = try await weir.finish()
        #expect(ended.status == 126, "\(ended.errors)")
        #expect(ended.errors == "weir: \(hidden)/command: cannot be executed: permission denied (EACCES)\n")
    }

    @Test("Standard input and output are the command's own")
    func streamsOfTheCommand() async throws {
        let weir = try WeirProgram(["run", "--show", "none", "--", "tr", "a-z", "A-Z"])
        let ended = try await weir.finish(sending: Array("what goes in".utf8))
        #expect(ended.text == "WHAT GOES IN")
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
        #expect(ended.status == 3 && ended.text == "caught\n")
    }

    @Test("A program that is stopped alone goes on with SIGCONT", .needsProgram("python3"))
    func stopped() async throws {
        let (server, endpoints) = try run.echo()
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
        #expect(ended.status == 0 && ended.text == "b'hello'\n", "\(ended.errors)")
        _ = try await server.stop()
    }

    @Test("A second run inside the first is refused, as a program can have one listener")
    func nested() async throws {
        let ended = try await run.watch([], [try WeirProgram.path(), "run", "--show", "none", "--", "true"])
        #expect(ended.status == 69)
        #expect(ended.errors.contains("weir: the command cannot be watched: it would be under two seccomp listeners"))
    }

    @Test(
        "What a program leaves behind keeps its flows, and new ones go their own way",
        .needsProgram("python3"),
        arguments: [false, true]
    )
    func leftBehind(waits: Bool) async throws {
        let (server, endpoints) = try run.echo()
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
        let options = (waits ? ["--wait"] : []) + ["--log", run.log]
        let ended = try await run.watch(options, ["sh", "-c", script, "sh", code])
        #expect(ended.status == 4 && ended.text == "b'hello' b'hello'\n")
        // Once its last flow has ended, the program may have ended, too, or be about to.
        let line =
            "weir: programs that the command started still run, unwatched from now on; --wait waits for them\n"
        #expect(ended.errors.isEmpty || !waits && ended.errors == line)
        #expect(try run.records().all("open").count == (waits ? 2 : 1))
        _ = try await server.stop()
    }

    @Test("A program goes on by itself when Weir is killed, also in the middle of its calls", .needsProgram("python3"))
    func killed() async throws {
        let (server, endpoints) = try run.echo()
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
        #expect(ended.text == "b'hello' [b'late'] 0\n", "\(ended.errors)")
        _ = try await server.stop()
    }
}
