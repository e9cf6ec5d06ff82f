import Support
import Testing
import WeirWire

@Suite("weir relay --proxies", .tags(.network), .timeLimit(.minutes(1)))
struct ProxiesFileTests {
    private static func relay(_ text: String, _ route: [String] = []) async throws -> WeirProgram.Ended {
        let folder = try TemporaryFolder()
        _ = try folder.file("p.json", Array(text.utf8))
        let program = try WeirProgram(
            ["relay", "--show", "none", "--admin", "127.0.0.1:0", "--proxies", "p.json"] + route,
            launcher: ["env", "-C", folder.path]
        )
        return try await program.finish()
    }

    @Test("The proxies of a file are made, and said as routes are")
    func makesProxies() async throws {
        let folder = try TemporaryFolder()
        let server = try TCPServer()
        let text = #"[{"name":"one","listen":"127.0.0.1:0","upstream":"\#(server.endpoint)"}]"#
        let program = try WeirProgram([
            "relay", "--show", "none", "--admin", "127.0.0.1:0", "--proxies", try folder.file("p", Array(text.utf8)),
        ])
        let endpoint = try program.listening()[0]
        let client = try TCPPeer(to: endpoint)
        try client.send("hello")
        #expect(try server.accept().receive(5) == Array("hello".utf8))
        client.close()
        #expect(try program.readErrorLine().hasPrefix("listening admin http://127.0.0.1:"))
        #expect(try await program.stop().status == 0)
    }

    @Test(
        "A file that is wrong is said with its name, the place in it, and what a right one is",
        arguments: [
            ("", "'p.json': line 1: EOF"), ("[\n {\"name\":\"x\"\n", "'p.json': line 3: unexpected EOF"),
            ("[\n x]", "'p.json': line 2: invalid character 'x' looking for beginning of value"),
            (#"{"name":"x"}"#, "'p.json': json: cannot unmarshal object into Go value of type []Proxy"),
            (#"[{"name":"x"}]"#, "'p.json': missing required field: upstream at proxy 1"),
            (#"[{"name":"x","upstream":"y"}]"#, "'p.json': proxy 1: upstream: address y: missing port in address"),
        ]
    )
    func refusesTexts(text: String, message: String) async throws {
        let ended = try await Self.relay(text)
        #expect(ended.status == 65, "\(ended.errors)")
        let line = ended.errors.split(separator: "\n").last ?? ""
        #expect(line.hasPrefix("weir: \(message); a file of proxies is like [{\"name\":"), "\(ended.errors)")
    }

    @Test("A place where the relay cannot listen is said with the proxy that is to be there")
    func cannotListen() async throws {
        let taken = try TCPServer()
        let ended = try await Self.relay(
            #"[{"name":"x","listen":"127.0.0.1:0","upstream":"a:1"},"#
                + #"{"name":"y","listen":"\#(taken.endpoint)","upstream":"a:1"}]"#
        )
        #expect(ended.status == 69)
        let message = "weir: 'p.json': proxy 2: listen tcp \(taken.endpoint): bind: address already in use\n"
        #expect(ended.errors.hasSuffix(message), "\(ended.errors)")
    }
}
