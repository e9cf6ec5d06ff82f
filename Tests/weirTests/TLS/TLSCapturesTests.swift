import Foundation
import Support
import Testing
import WeirWire

/// `--record-tls` and `--capture` of routes with TLS, with real clients and servers; tshark is the judge.
@Suite("Captures of flows with TLS", .serialized, .tags(.network, .capture), .timeLimit(.minutes(3)))
struct TLSCapturesTests {
    /// A server of HTTP/1.1 behind one version of TLS: an answer to GET is as long as its path says, one to POST is the request's body.
    private static let server = """
        import http.server, ssl, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def answer(self, code, body):
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self): self.answer(200, b"x" * int(self.path.split("/")[-1]))
            def do_POST(self): self.answer(201, self.rfile.read(int(self.headers["Content-Length"])))
            def log_message(*words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """
    private static let columns = [
        "tcp.stream", "http.request.method", "http.request.uri", "http.response.code", "http.content_length",
        "http.file_data",
    ]

    private let folder: TemporaryFolder
    private var authority: String { folder.path + "/ca" }
    private var certificate: String { folder.path + "/server.pem" }

    init() throws { folder = try TemporaryFolder() }

    private func run(_ command: [String], input: [UInt8] = []) async throws -> WeirProgram.Ended {
        try await WeirProgram(command, launcher: WeirProgram.instead("env"), seconds: 60).finish(sending: input)
    }

    /// Starts the server, and returns its port.
    private func serve(_ version: String) async throws -> (program: WeirProgram, port: Int) {
        let key = folder.path + "/server.key"
        let made = try await run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        #expect(made.status == 0, "\(made.errors)")
        _ = try await WeirProgram(["ca", "make", "--tls-ca", authority], seconds: 60).finish()
        let words = ["python3", "-c", Self.server, certificate, key, version]
        let program = try WeirProgram(words, launcher: WeirProgram.instead("env"), seconds: 60)
        let line = try program.readOutput(through: "\n").trimmingCharacters(in: .newlines)
        return (program, try #require(Int(line)))
    }

    /// Lets curl talk through a relay: three connections, one of a client that does not trust it.
    private func talk(to port: Int, _ options: [String]) async throws -> WeirProgram.Ended {
        let words = ["relay", "--show", "none", "--tls-ca", authority, "--tls-upstream-ca", certificate] + options
        let relay = try WeirProgram(words + ["tls:0=localhost:\(port)"], seconds: 60)
        // A capture says first where it captures.
        var line = try relay.readErrorLine()
        while !line.hasPrefix("listening ") { line = try relay.readErrorLine() }
        let endpoint = try #require(Endpoint(String(line.split(separator: " ")[2])))
        let curl = ["curl", "-sS", "--noproxy", "*", "-o", "/dev/null"]
        let base = "https://localhost:\(endpoint.port)"
        let trust = ["--cacert", authority + "/ca.pem"]
        let gotten = try await run(curl + trust + ["\(base)/a/5", "-o", "/dev/null", "\(base)/b/100000"])
        #expect(gotten.status == 0, "\(gotten.errors)")
        let body = [UInt8](repeating: UInt8(ascii: "y"), count: 70_000)
        let posted = try await run(curl + trust + ["--data-binary", "@-", "\(base)/post"], input: body)
        #expect(posted.status == 0, "\(posted.errors)")
        #expect(try await run(curl + ["\(base)/c/1"]).status == 60)
        let ended = try await relay.stop()
        #expect(ended.status == 0, "\(ended.errors)")
        return ended
    }

    private func messages(_ name: String) throws -> [[String]] {
        try Tshark.fields(folder.path + "/" + name, Self.columns, where: "http", keepsPorts: true)
    }

    @Test(
        "Encrypted, both legs hold the messages that the plaintext one does, and none without their secrets",
        .needsProgram("tshark"),
        .needsProgram("editcap"),
        .needsProgram("curl"),
        .needsProgram("python3"),
        arguments: ["TLSv1_2", "TLSv1_3"]
    )
    func record(version: String) async throws {
        let (server, port) = try await serve(version)
        for mode in ["plain", "cipher"] {
            let path = folder.path + "/\(mode).pcapng"
            _ = try await talk(to: port, ["--record", path, "--record-tls", mode])
            let complaints = try Tshark.complaints(path, keepsPorts: true)
            // A client that does not trust may reset.
            #expect(Set(complaints.keys).isSubset(of: ["Connection reset (RST)"]), "\(complaints)")
            #expect(try Tshark.isInTimeOrder(path))
        }
        server.send(SIGTERM)
        _ = try await server.finish()
        let (plain, cipher) = (try messages("plain.pcapng"), try messages("cipher.pcapng"))
        // Three requests and their answers, on both legs.
        #expect(plain.count == 12 && cipher == plain)
        #expect(Set(plain.map { $0[3] }) == ["", "200", "201"] && plain.contains { $0[5].count == 100_000 })
        let (path, bare) = (folder.path + "/cipher.pcapng", folder.path + "/bare.pcapng")
        #expect(try ChildProgram.run("editcap", ["--discard-all-secrets", path, bare]).status == 0)
        #expect(try messages("bare.pcapng").isEmpty)
        // Why the last client ended is encrypted in TLS 1.3, and decrypted here: unknown_ca.
        let alerts = try Tshark.fields(path, ["tls.alert_message.desc"], where: "tls.alert_message", keepsPorts: true)
        #expect(alerts.contains { $0[0].split(separator: ",").contains("48") }, "\(alerts)")
    }

    @Test(
        "A capture of the packets themselves has the secrets, too",
        .needsRoot,
        .needsProgram("tshark"),
        .needsProgram("curl"),
        .needsProgram("python3"),
        arguments: ["TLSv1_2", "TLSv1_3"]
    )
    func packets(version: String) async throws {
        let (server, port) = try await serve(version)
        let (path, keys) = (folder.path + "/packets.pcapng", folder.path + "/keys")
        _ = try await talk(to: port, ["--capture", path, "--tls-keylog", keys])
        server.send(SIGTERM)
        _ = try await server.finish()
        #expect(try messages("packets.pcapng").count == 12)
        var lines = ""
        var reader = CaptureReader()
        let file = try TemporaryFolder.read(path)
        while let item = try reader.next(in: file.span.bytes) {
            guard case .block(.secrets(let secrets)) = item else { continue }
            lines += String(decoding: secrets.bytes, as: UTF8.self)
        }
        #expect(
            lines.split(separator: "\n").sorted()
                == String(decoding: try folder.read("keys"), as: UTF8.self)
                .split(separator: "\n").sorted()
        )
    }
}
