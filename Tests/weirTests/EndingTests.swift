import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@Suite("The end of weir relay by a signal", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct EndingTests {
    private let folder: TemporaryFolder
    private let server: TCPServer

    init() throws {
        folder = try TemporaryFolder()
        server = try TCPServer()
    }

    private func start(_ options: [String] = [], seconds: Int = 30) throws -> (WeirProgram, Endpoint) {
        let log = folder.path + "/log"
        let program = try WeirProgram(
            ["relay", "--show", "none", "--log", log] + options + [server.route],
            seconds: seconds
        )
        return (program, try program.listening()[0])
    }

    private func log() throws -> LogLines { try LogLines(try folder.read("log")) }

    @Test("One signal drains: a flow may finish, and everything is said", arguments: [SIGINT, SIGTERM, SIGHUP])
    func once(signal: Int32) async throws {
        let (program, endpoint) = try start(["--grace", "30"])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        program.send(signal)
        #expect(
            try program.readErrorLine() == "weir: ending: 1 TCP flow has 30s to finish; ^C again stops at once"
        )
        // The flow goes on both ways until it is done.
        try peer.send("world")
        #expect(try client.receive(5) == Array("world".utf8))
        client.finish()
        peer.finish()
        let ended = try await program.finish()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("total: 1 tcp flow"))
        #expect(try log().events == ["open", "connected", "data", "data", "end", "end", "close"])
        #expect(try log().all("close")[0]["reason"] as? String == "finished")
    }

    @Test("A flow that is idle is reset after the grace", arguments: [SIGINT, SIGTERM, SIGHUP])
    func idle(signal: Int32) async throws {
        let (program, endpoint) = try start(["--grace", "100ms"])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let ended = try await program.stop(signal)
        #expect(ended.status == 0)
        #expect(ended.errors.contains("1 TCP flow has 100ms to finish"))
        #expect(ended.errors.contains("total: 1 tcp flow"))
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try log().all("close").map { $0["reason"] as? String } == ["shutdown"])
    }

    @Test("What was read of a flow that is stuck is counted", arguments: [1, 2])
    func stuck(signals: Int) async throws {
        let (program, endpoint) = try start(["--grace", signals == 1 ? "100ms" : "60s"])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.sendUntilStuck(seed: 1)
        program.send(SIGINT)
        #expect(try program.readErrorLine().hasPrefix("weir: ending: 1 TCP flow has "))
        if signals == 2 { program.send(SIGINT) }
        let ended = try await program.finish()
        let received = try peer.receiveToEnd(seed: 1)
        #expect(ended.status == 0)
        #expect(ended.errors.contains("stopped at once") == (signals == 2))
        #expect(received.ending == .failed(.connectionReset))
        #expect(received.firstDifference == nil)
        let lines = try log()
        let close = try #require(lines.all("close").first)
        #expect(close["reason"] as? String == "shutdown")
        let read = try #require(close["bytes_up"] as? Int)
        let dropped = lines.sum("length", of: "dropped")
        #expect(lines.sum("length", of: "data") == read)
        #expect(dropped > 0 && close["dropped_up"] as? Int == dropped)
        // What the relay had not read of the client is lost as well, and counted. A reset discards what the peer's kernel had
        // and its program had not read: that is beyond Weir's sight.
        let sent = client.given.upperBound
        #expect(received.count + dropped <= sent && read <= sent)
    }

    @Test("A second signal stops flows that are busy at once, and the log is whole")
    func busyTwice() async throws {
        let (program, endpoint) = try start(["--grace", "60s"])
        let talks = try (0..<4).map { _ in
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            let sending = try Background { while (try? client.send(Pattern.bytes(100_000))) != nil {} }
            _ = try peer.receive(1)
            return (sending, try Background { try peer.receiveToEnd().ending })
        }
        program.send(SIGTERM)
        #expect(try program.readErrorLine() == "weir: ending: 4 TCP flows have 60s to finish; ^C again stops at once")
        program.send(SIGTERM)
        #expect(try program.readErrorLine() == "weir: stopped at once")
        for (sending, receiving) in talks {
            try sending.value()
            #expect(try receiving.value() == .failed(.connectionReset))
        }
        let ended = try await program.finish()
        #expect(ended.status == 0)
        let lines = try log()
        #expect(lines.all("close").count == 4)
        #expect(lines.sum("bytes_up", of: "close") == lines.sum("length", of: "data"))
    }

    /// What stands between the relay's records and somebody who reads nothing.
    enum Stuck: CaseIterable {
        case standardOutput, bothStreams, log
    }

    @Test("One SIGTERM ends a relay of which an output is not read; the others are whole", arguments: Stuck.allCases)
    func unreadOutput(_ stuck: Stuck) async throws {
        let (pipe, log, capture) = (folder.path + "/pipe", folder.path + "/log", folder.path + "/capture.pcapng")
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        let options =
            stuck == .log
            ? ["--show", "none", "--log-bytes", "--log", pipe] : ["--show-limit", "0", "--log", log]
        let program = try WeirProgram(
            ["relay", "--grace", "100ms", "--record", capture] + options + [server.route],
            launcher: stuck == .bothStreams ? ["sh", "-c", "exec \"$0\" \"$@\" 2>&1"] : []
        )
        let endpoint: Endpoint
        if stuck == .bothStreams {
            let words = try program.readOutput(through: " -> ").split(whereSeparator: \.isWhitespace)
            let place = try #require(words.firstIndex(of: "listening"))
            endpoint = try #require(Endpoint(String(words[place + 2])))
        } else {
            endpoint = try program.listening()[0]
        }
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send(Pattern.bytes(100_000))
        _ = try peer.receive(100_000)
        program.send(SIGTERM)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        if stuck != .bothStreams {
            let name = stuck == .log ? pipe : "standard output"
            #expect(try program.readErrorLine().contains("1 TCP flow has 100ms to finish"))
            var lines: [String] = []
            while lines.last?.hasPrefix("weir: not read") != true, lines.last != "" {
                lines.append(try program.readErrorLine())
            }
            #expect(lines.contains("recorded \(capture)"))
            #expect(lines.last == "weir: not read for a second: \(name); what was not written there is lost")
        }
        #expect(try program.waitForEnd() == 0)
        if stuck != .log { #expect(try LogLines(try folder.read("log")).events.last == "close") }
        // The capture has its last words: an interface's counts are the last blocks of a file.
        let blocks = try SeenCapture(try folder.read("capture.pcapng")).blocks
        #expect(blocks.contains { if case .statistics = $0 { true } else { false } })
    }

    @Test("After ^C the relay says that an output is not read, and waits until it is")
    func patience() async throws {
        let program = try WeirProgram(["relay", "--show-limit", "0", "--grace", "100ms", server.route])
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        // The dump of it does not fit into the pipe, which nobody reads yet.
        try client.send(Pattern.bytes(100_000))
        _ = try peer.receive(100_000)
        program.send(SIGINT)
        #expect(try program.readErrorLine().contains("1 TCP flow has 100ms"))
        #expect(
            try program.readErrorLine()
                == "weir: an output is not being read; waiting for it to take the rest; ^C again stops at once"
        )
        let ended = try await program.finish()
        #expect(ended.status == 0 && !ended.errors.contains("not read for a second"))
        #expect(ended.output.count > 100_000)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
    }

    @Test("A second signal does not wait for an output that is stuck")
    func stuckOutput() async throws {
        let program = try WeirProgram(["relay", "--show-limit", "0", "--grace", "60s", server.route])
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        // The dump of it does not fit into the pipe, which nobody reads.
        try client.send(Pattern.bytes(100_000))
        _ = try peer.receive(100_000)
        program.send(SIGINT)
        #expect(try program.readErrorLine().contains("1 TCP flow has 60s"))
        program.send(SIGINT)
        #expect(try program.readErrorLine() == "weir: stopped at once")
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try program.waitForEnd() == 0)
    }
}
