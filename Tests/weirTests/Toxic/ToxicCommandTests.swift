import Support
import Testing
import WeirEngine
import WeirWire

/// A relay with its control API, and what `weir toxic` says to it.
private struct SteeredRelay {
    let program: WeirProgram
    let endpoint: Endpoint
    let url: String

    var proxy: String { "tcp-\(endpoint.port)" }

    init(_ server: TCPServer) throws {
        program = try WeirProgram(
            ["relay", "--admin", "127.0.0.1:0", "--show", "none", "--no-processes", "--grace", "200ms", server.route]
        )
        endpoint = try program.listening()[0]
        let line = try program.readErrorLine()
        url = try #require(line.split(separator: " ").last.map(String.init))
        #expect(line.hasPrefix("listening admin http://127.0.0.1:"))
    }

    /// Runs `weir toxic` to its end.
    func toxic(_ arguments: String...) async throws -> ChildProgram.Ended {
        let words = [try WeirProgram.path(), "toxic"] + arguments + ["--url", url]
        return try await runThread { try ChildProgram.run("env", words) }
    }
}

@Suite("weir toxic", .tags(.network), .timeLimit(.minutes(1)))
struct ToxicCommandTests {
    @Test("Toxics are added, listed, inspected, changed, removed and reset, in tables and as JSON")
    func steers() async throws {
        let server = try TCPServer()
        let relay = try SteeredRelay(server)
        let head = "toxic               type     stream      toxicity  attributes\n"
        let added = try await relay.toxic("add", relay.proxy, "latency", "latency=100", "jitter=20")
        #expect(added.status == 0)
        #expect(
            added.output
                == head + "latency_downstream  latency  downstream  1         latency=100 jitter=20\n"
        )
        let json = try await relay.toxic(
            "add",
            relay.proxy,
            "noop",
            "--up",
            "--name",
            "n",
            "--toxicity",
            "0.25",
            "--json"
        )
        #expect(
            json.output
                == #"{"attributes":{},"name":"n","type":"noop","stream":"upstream","toxicity":0.25}"# + "\n"
        )
        let list = try await relay.toxic("list")
        let columns = list.output.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true)
        }
        #expect(columns.first == ["proxy", "listen", "upstream", "enabled", "toxics"])
        let row: [Substring] = [
            "\(relay.proxy)", "\(relay.endpoint)", "\(server.endpoint)", "yes", "n,", "latency_downstream",
        ]
        #expect(columns.dropFirst().first == row)
        #expect(try await relay.toxic("list", "--json").output.hasPrefix("{\"\(relay.proxy)\":{\"name\":"))
        let inspected = try await relay.toxic("inspect", relay.proxy).output
        #expect(inspected.hasPrefix("\(relay.proxy): \(relay.endpoint) -> \(server.endpoint), enabled\n\(head)n "))
        let changed = try await relay.toxic(
            "update",
            relay.proxy,
            "latency_downstream",
            "latency=5",
            "--toxicity",
            "0.5"
        )
        #expect(changed.output == head + "latency_downstream  latency  downstream  0.5       latency=5 jitter=20\n")
        let removed = try await relay.toxic("remove", relay.proxy, "n")
        #expect(removed.status == 0 && removed.output.isEmpty)
        #expect(try await relay.toxic("reset").status == 0)
        #expect(try await relay.toxic("inspect", relay.proxy).output.hasSuffix("enabled\nno toxics\n"))
        #expect(try await relay.program.stop().status == 0)
    }

    @Test("With --up --down a toxic is put on both directions, or on none")
    func bothDirections() async throws {
        let relay = try SteeredRelay(try TCPServer())
        let added = try await relay.toxic("add", relay.proxy, "noop", "--up", "--down", "--up")
        #expect(
            added.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ").prefix(3) }
                == [["noop_upstream", "noop", "upstream"], ["noop_downstream", "noop", "downstream"]]
        )
        let named = try await relay.toxic("add", relay.proxy, "noop", "--down", "--up", "--name", "n", "--json")
        let names = try LogLines(Array(named.output.utf8)).objects.map { $0["name"] as? String }
        #expect(names == ["n_upstream", "n_downstream"])
        _ = try await relay.toxic("remove", relay.proxy, "n_upstream")
        let again = try await relay.toxic("add", relay.proxy, "noop", "--up", "--down", "--name", "n")
        #expect(again.status == 69 && again.output.contains("says 409: toxic already exists"))
        let left = try await relay.toxic("inspect", relay.proxy, "--json").output
        #expect(!left.contains("\"n_upstream\""))
        #expect(left.contains("\"n_downstream\""))
        #expect(try await relay.program.stop().status == 0)
    }

    @Test("The help of hold says once, and rightly, which direction is the default")
    func helps() async throws {
        let path = try WeirProgram.path()
        let help = try await runThread {
            try ChildProgram.run("env", ["COLUMNS=200", path, "toxic", "hold", "--help"])
        }
        #expect(help.output.contains("--up, the default") && !help.output.contains("(the default)"))
        #expect(!help.output.contains("--down, the default"))
    }

    @Test("What is wrong is said in a line, with a code that tells the user's mistake from the relay's refusal")
    func refuses() async throws {
        let relay = try SteeredRelay(try TCPServer())
        _ = try await relay.toxic("add", relay.proxy, "noop")
        let place = relay.url.dropFirst("http://".count)
        let cases: [(arguments: [String], status: Int32, message: String)] = [
            (["add", relay.proxy, "noop"], 69, "weir: \(place) says 409: toxic already exists"),
            (["add", "none", "noop"], 69, "weir: \(place) says 404: proxy not found"),
            (["inspect", "none"], 69, "weir: \(place) says 404: proxy not found"),
            (["update", relay.proxy, "none", "--toxicity", "1"], 69, "weir: \(place) says 404: toxic not found"),
            (["remove", relay.proxy, "none"], 69, "weir: \(place) says 404: toxic not found"),
            (["hold", "none"], 69, "weir: \(place) says 404: proxy not found"),
            (["add", relay.proxy, "eat"], 64, "weir: there is no toxic 'eat'; the types are latency, "),
            (
                ["add", relay.proxy, "latency", "latncy=1"], 64,
                "weir: 'latency' has no setting 'latncy'; it has: latency, "
            ),
            (["add", relay.proxy, "latency", "latency"], 64, "weir: 'latency' is no setting: FIELD=VALUE"),
            (["add", relay.proxy, "latency", "latency=x"], 64, "weir: toxic 'latency': latency takes a whole number"),
            (["add", relay.proxy, "noop", "--toxicity", "nan"], 64, "Error: --toxicity takes a number from 0 to 1."),
            (
                ["update", relay.proxy, "noop_downstream", "--toxicity", "7"], 64,
                "Error: --toxicity takes a number from"
            ),
            (
                ["update", relay.proxy, "noop_downstream"], 64,
                "Error: Say what is to change: settings, as in latency=100"
            ),
        ]
        for (arguments, status, message) in cases {
            let words = [try WeirProgram.path(), "toxic"] + arguments + ["--url", relay.url]
            let ended = try await runThread { try ChildProgram.run("env", words) }
            #expect(ended.status == status, "\(arguments): \(ended.output)")
            #expect(ended.output.hasPrefix(message), "\(arguments): \(ended.output)")
        }
        #expect(try await relay.program.stop().status == 0)
        let gone = try await relay.toxic("list")
        #expect(gone.status == 69 && gone.output.hasSuffix("does a relay run with --admin?\n"), "\(gone.output)")
    }

    @Test("A name that would steer the terminal is escaped in tables and in messages", .needsProgram("curl"))
    func escapes() async throws {
        let relay = try SteeredRelay(try TCPServer())
        let body = #"{"name":"\u001b[2J","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
        let url = relay.url
        let made = try await runThread { try ChildProgram.run("curl", ["-s", "-d", body, url + "/proxies"]) }
        #expect(made.output.contains(#""name":"\u001b[2J""#))
        let list = try await relay.toxic("list")
        #expect(list.output.contains("\\u{1b}[2J  127.0.0.1:") && !list.output.contains("\u{1b}"))
        let inspected = try await relay.toxic("inspect", "\u{1b}[2J")
        #expect(inspected.output.hasPrefix("\\u{1b}[2J: 127.0.0.1:"))
    }
}

@Suite("weir toxic hold", .tags(.network), .timeLimit(.minutes(1)))
struct ToxicHoldCommandTests {
    /// Starts a prompt, and a client that is connected through its relay.
    private static func withPrompt(
        editor: String = "false",
        options: [String] = ["--up"],
        _ body: (_ prompt: WeirProgram, _ client: TCPPeer, _ server: TCPPeer, SteeredRelay) async throws -> Void
    ) async throws {
        let server = try TCPServer()
        let relay = try SteeredRelay(server)
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let prompt = try WeirProgram(
            ["toxic", "hold", relay.proxy, "--url", relay.url] + options,
            launcher: ["env", "-u", "VISUAL", "EDITOR=\(editor)"]
        )
        let streams = options.contains("--down") ? "upstream and downstream" : "upstream"
        #expect(try prompt.readErrorLine().hasPrefix("holding \(relay.proxy) \(streams); "))
        try await body(prompt, client, peer, relay)
        // However it ended, nothing is held any more.
        let inspected = try await relay.toxic("inspect", relay.proxy)
        #expect(inspected.output.hasSuffix("enabled\nno toxics\n"))
        #expect(try await relay.program.stop().status == 0)
    }

    /// Reads what is shown of a held chunk: its head and the first line of its dump.
    private static func shown(_ prompt: WeirProgram) throws -> (head: String, dump: String) {
        (try prompt.readErrorLine(), try prompt.readErrorLine())
    }

    @Test("Each chunk is shown, and forwarded, edited or dropped; all the rest goes on")
    func asks() async throws {
        try await Self.withPrompt(editor: "sed -i 's/ 77 6f / 57 4f 57 /'") { prompt, client, peer, _ in
            try client.send("one\n")
            let first = try Self.shown(prompt)
            #expect(first.head == "#1 up    4 bytes held")
            #expect(first.dump == HexDumpLine.of("one\n"))
            try prompt.write("x\nf\n")
            #expect(try prompt.readErrorLine() == "[f]orward, [d]rop, [e]dit, [a]ll? f, d, e or a")
            #expect(try peer.receive(4) == Array("one\n".utf8))
            try client.send("two\n")
            #expect(try Self.shown(prompt).head.hasSuffix("4 bytes held"))
            try prompt.write("e\n")
            #expect(try peer.receive(5) == Array("tWOW\n".utf8))
            try client.send("three\n")
            _ = try Self.shown(prompt)
            try prompt.write("d\n")
            try client.send("four\n")
            #expect(try Self.shown(prompt).dump.hasSuffix("|four.|"))
            try prompt.write("a\n")
            #expect(try peer.receive(5) == Array("four\n".utf8))
            #expect(try prompt.waitForEnd() == 0)
        }
    }

    @Test("The end of the input ends it, while a chunk is held and while none is", arguments: [true, false])
    func ends(isHeld: Bool) async throws {
        try await Self.withPrompt { prompt, client, peer, _ in
            if isHeld {
                try client.send("held\n")
                _ = try Self.shown(prompt)
            }
            prompt.closeInput()
            #expect(try prompt.waitForEnd() == 0)
            if !isHeld { try client.send("held\n") }
            #expect(try peer.receive(5) == Array("held\n".utf8))
        }
    }

    @Test("A chunk without an answer goes on after its time: the prompt says so, and asks about the next one")
    func goesOn() async throws {
        try await Self.withPrompt(options: ["--timeout", "1500ms"]) { prompt, client, peer, _ in
            try client.send("one\n")
            #expect(try Self.shown(prompt).dump.hasSuffix("|one.|"))
            #expect(try peer.receive(4) == Array("one\n".utf8))
            #expect(try prompt.readErrorLine() == "[f]orward, [d]rop, [e]dit, [a]ll? ")
            #expect(try prompt.readErrorLine() == "the chunk was forwarded after 1500 ms without an answer")
            try client.send("two\n")
            #expect(try Self.shown(prompt).dump.hasSuffix("|two.|"))
            try prompt.write("f\n")
            #expect(try peer.receive(4) == Array("two\n".utf8))
            prompt.closeInput()
            #expect(try prompt.waitForEnd() == 0)
        }
    }

    @Test("A chunk whose flow ends, or that somebody else decides about, is not waited for", .needsProgram("curl"))
    func isOvertaken() async throws {
        try await Self.withPrompt { prompt, client, peer, relay in
            try client.send("one\n")
            _ = try Self.shown(prompt)
            let decided = try await runThread { [url = relay.url] in
                try ChildProgram.run("curl", ["-s", "-d", #"{"action":"drop"}"#, url + "/v1/holds"])
            }
            #expect(decided.output.contains("\"decided\":1"))
            #expect(try prompt.readErrorLine() == "[f]orward, [d]rop, [e]dit, [a]ll? ")
            #expect(
                try prompt.readErrorLine() == "the chunk is not held any more: somebody else has decided about it"
            )
            try client.send("two\n")
            _ = try Self.shown(prompt)
            _ = try await runThread { [url = relay.url] in
                try ChildProgram.run("curl", ["-s", "-X", "DELETE", url + "/v1/flows/1"])
            }
            #expect(try prompt.readErrorLine() == "[f]orward, [d]rop, [e]dit, [a]ll? ")
            #expect(try prompt.readErrorLine() == "the chunk is gone: its flow has ended")
            _ = peer
            prompt.closeInput()
            #expect(try prompt.waitForEnd() == 0)
        }
    }

    @Test("With --up --down both directions are held")
    func holdsBoth() async throws {
        try await Self.withPrompt(options: ["--up", "--down"]) { prompt, client, peer, _ in
            try client.send("one\n")
            #expect(try Self.shown(prompt).head == "#1 up    4 bytes held")
            try prompt.write("f\n")
            #expect(try peer.receive(4) == Array("one\n".utf8))
            try peer.send("two\n")
            #expect(try Self.shown(prompt).head.hasSuffix("#1 down  4 bytes held"))
            try prompt.write("f\n")
            #expect(try client.receive(4) == Array("two\n".utf8))
            prompt.closeInput()
            #expect(try prompt.waitForEnd() == 0)
        }
    }

    @Test("An interrupt ends it, and what is held goes on")
    func isInterrupted() async throws {
        try await Self.withPrompt { prompt, client, peer, _ in
            try client.send("held\n")
            _ = try Self.shown(prompt)
            prompt.send(2)
            #expect(try prompt.waitForEnd() == 0)
            #expect(try peer.receive(5) == Array("held\n".utf8))
        }
    }

    @Test("While the editor runs an interrupt is the editor's; one that fails changes nothing")
    func editorIsInterrupted() async throws {
        let folder = try TemporaryFolder()
        // The editor's parent is the prompt, or the shell that the prompt runs it with.
        let script = """
            #!/bin/sh
            prompt=$PPID
            [ "$(cat /proc/$prompt/comm)" = weir ] || prompt=$(ps -o ppid= -p $prompt)
            kill -INT $prompt
            sleep 0.3
            exit 3
            """
        let editor = try folder.file("editor", Array(script.utf8))
        try await Self.withPrompt(editor: "sh \(editor)") { prompt, client, peer, _ in
            try client.send("held\n")
            _ = try Self.shown(prompt)
            try prompt.write("e\n")
            #expect(
                try prompt.readErrorLine()
                    == "[f]orward, [d]rop, [e]dit, [a]ll? the editor failed; nothing was changed"
            )
            try prompt.write("f\n")
            #expect(try peer.receive(5) == Array("held\n".utf8))
            prompt.closeInput()
            #expect(try prompt.waitForEnd() == 0)
        }
    }

    @Test("A long chunk is shown in part, and a hold that somebody else takes away ends the prompt")
    func isTakenAway() async throws {
        try await Self.withPrompt { prompt, client, peer, relay in
            try client.send(5000, seed: 1)
            var line = ""
            repeat { line = try prompt.readErrorLine() } while !line.contains("more; e shows all")
            #expect(line == "904 bytes more; e shows all")
            try prompt.write("f\n")
            #expect(try peer.receive(5000).count == 5000)
            #expect(try await relay.toxic("reset").status == 0)
            let place = relay.url.dropFirst("http://".count)
            #expect(try prompt.readErrorLine().hasSuffix("weir: \(place) says 404: toxic not found"))
            #expect(try prompt.waitForEnd() == 69)
        }
    }
}

private enum HexDumpLine {
    /// Returns the one line of a short text's dump.
    static func of(_ text: String) -> String {
        let digits = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        let shown = String(text.map { $0.isNewline ? "." : $0 })
        return "00000000  \(digits)" + String(repeating: " ", count: 50 - digits.count) + "|\(shown)|"
    }
}
