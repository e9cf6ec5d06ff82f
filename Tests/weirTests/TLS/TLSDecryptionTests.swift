import Foundation
import Support
import Testing
import WeirWire

/// `weir show` of captures with TLS in them, beside tshark.
@Suite("Decrypting captures of real peers", .serialized, .tags(.network), .timeLimit(.minutes(3)))
struct TLSDecryptionTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A version and a suite of a server in Python, what it does not do, and whether its key is one of RSA.
    struct Way: Sendable, CustomTestStringConvertible {
        var version: String
        var suite: String
        var without = "0"
        var isRSA = false

        var testDescription: String { "\(version) \(suite)\(without == "0" ? "" : " without options")" }
    }

    /// OpenSSL's number of the option that turns encrypt-then-MAC off.
    private static let macThenEncrypt = "\(1 << 19)"

    static let ways: [Way] = [
        Way(version: "TLSv1_3", suite: "TLS_AES_128_GCM_SHA256"),
        Way(version: "TLSv1_3", suite: "TLS_AES_256_GCM_SHA384"),
        Way(version: "TLSv1_3", suite: "TLS_CHACHA20_POLY1305_SHA256"),
        Way(version: "TLSv1_2", suite: "ECDHE-ECDSA-AES128-GCM-SHA256"),
        Way(version: "TLSv1_2", suite: "AES256-GCM-SHA384", isRSA: true),
        Way(version: "TLSv1_2", suite: "ECDHE-ECDSA-CHACHA20-POLY1305"),
        Way(version: "TLSv1_2", suite: "ECDHE-ECDSA-AES128-SHA256"),
        Way(version: "TLSv1_2", suite: "ECDHE-ECDSA-AES256-SHA384", without: macThenEncrypt),
        Way(version: "TLSv1_2", suite: "AES128-SHA", without: macThenEncrypt, isRSA: true),
        Way(version: "TLSv1", suite: "AES256-SHA", without: macThenEncrypt, isRSA: true),
    ]

    /// A server of HTTP/1.1 behind TLS, which prints its port.
    private static let server = """
        import http.server, ssl, sys
        version, suite, without, pem = sys.argv[1:]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *words): pass
            def answer(self, code, body):
                self.send_response(code)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                if self.path == '/missing': return self.answer(404, b'no such thing')
                self.answer(200, bytes(index * 7 % 251 for index in range(int(self.path.split('/')[-1]))))
            def do_POST(self):
                self.answer(201, self.rfile.read(int(self.headers['Content-Length']))[::-1])
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        context.options |= int(without)
        if version != 'TLSv1_3': context.set_ciphers(suite + ':@SECLEVEL=0')
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    private func run(_ command: [String], _ environment: [String] = []) async throws -> WeirProgram.Ended {
        try await WeirProgram(environment + command, launcher: WeirProgram.instead("env"), seconds: 60).finish()
    }

    /// Makes a certificate for `localhost` and its key, in one file.
    private func certificate(isRSA: Bool) async throws -> String {
        let path = folder.path + "/server.pem"
        let kind = isRSA ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        let made = try await run(
            ["openssl", "req", "-x509", "-newkey"] + kind + [
                "-nodes", "-keyout", path, "-out", path + ".cert", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost",
            ]
        )
        #expect(made.status == 0, "\(made.errors)")
        let (key, certificate) = (try folder.read("server.pem"), try folder.read("server.pem.cert"))
        return try folder.file("server.pem", certificate + key)
    }

    /// Captures four requests of two connections through `weir relay`, which does not decrypt them.
    private func capture(_ way: Way) async throws -> (capture: String, keys: String) {
        let pem = try await certificate(isRSA: way.isRSA)
        let server = try WeirProgram(
            ["python3", "-W", "ignore", "-c", Self.server, way.version, way.suite, way.without, pem],
            launcher: WeirProgram.instead("env"),
            seconds: 60
        )
        let port = try server.readOutput(through: "\n").trimmingCharacters(in: .newlines)
        let (capture, keys) = (folder.path + "/capture.pcapng", folder.path + "/keys")
        let relay = try WeirProgram(
            ["relay", "--show", "none", "tcp:0=127.0.0.1:\(port)", "--record", capture],
            seconds: 60
        )
        let base = "https://localhost:\(try relay.listening()[0].port)"
        var options = ["-sS", "--noproxy", "*", "--cacert", pem, "--http1.1"]
        if way.version == "TLSv1_3" { options += ["--tls13-ciphers", way.suite] }
        if way.version == "TLSv1" { options += ["--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0"] }
        for words in [
            ["\(base)/a/5", "\(base)/missing", "\(base)/big/100000"], ["-d", "hello=world", "\(base)/post"],
        ] {
            let answer = try await run(["curl"] + options + words, ["SSLKEYLOGFILE=\(keys)"])
            #expect(answer.status == 0, "\(answer.errors)")
        }
        #expect(try await relay.stop().status == 0)
        server.send(SIGTERM)
        _ = try await server.finish()
        return (capture, keys)
    }

    /// A message of HTTP, as both programs tell it.
    private struct Message: Hashable, CustomStringConvertible {
        var words: [String]

        var description: String { words.joined(separator: " ") }
    }

    private static let names = ["http.request.method", "http.request.uri", "http.response.code"]

    /// Returns the messages that tshark reads, of both legs.
    private func messagesOfTshark(_ capture: String, keys: String?) throws -> [Message: Int] {
        let rows = try Tshark.fields(capture, Self.names, where: "http", keyLog: keys)
        return Dictionary(rows.map { (Message(words: $0), 1) }, uniquingKeysWith: +)
    }

    /// Returns the messages that `weir show` reads, of the client's leg.
    private func messages(_ arguments: [String]) async throws -> [Message: Int] {
        let ended = try await shown(arguments + ["--messages", "--json", "--fields", "--where", "http"])
        #expect(ended.status == 0, "\(ended.errors)")
        let lines = try LogLines(Array(ended.output.utf8))
        let found = lines.objects.map { line in
            let fields = (line["fields"] as? [[String: Any]]) ?? []
            return Message(
                words: Self.names.map { name in
                    fields.first { $0["name"] as? String == name }?["value"].map { "\($0)" } ?? ""
                }
            )
        }
        return Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    }

    @Test(
        "The messages are those of tshark, with secrets in a file and in the capture",
        .needsProgram("tshark"),
        .needsProgram("editcap"),
        .needsProgram("curl"),
        .needsProgram("python3"),
        arguments: ways
    )
    func messages(way: Way) async throws {
        let (capture, keys) = try await capture(way)
        let wanted = try messagesOfTshark(capture, keys: keys)
        #expect(wanted.values.reduce(0, +) == 16, "both legs of four requests: \(wanted)")
        let found = try await messages([capture, "--keylog", keys])
        #expect(found.mapValues { 2 * $0 } == wanted)
        #expect(try await messages([capture]) == [:])
        // The same with the secrets in the file, before its packets or behind them.
        let injected = folder.path + "/injected.pcapng"
        #expect(try await run(["editcap", "--inject-secrets", "tls,\(keys)", capture, injected]).status == 0)
        #expect(try await messages([injected]) == found)
        let behind = try folder.file(
            "behind.pcapng",
            Self.append(secrets: folder.read("keys"), to: folder.read("capture.pcapng"))
        )
        #expect(try await messages([behind]) == found)
    }

    /// Appends a Decryption Secrets Block to a file of this machine's byte order.
    private static func append(secrets: [UInt8], to file: [UInt8]) -> [UInt8] {
        func word(_ number: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(number).littleEndian) { Array($0) } }
        let padded = secrets + [UInt8](repeating: 0, count: (4 - secrets.count % 4) % 4)
        let length = word(padded.count + 20)
        return file + word(10) + length + word(0x544c_534b) + word(secrets.count) + padded + length
    }

    @Test(
        "Every view works on what was encrypted, and says so",
        .needsProgram("curl"),
        .needsProgram("python3"),
        arguments: [ways[1], ways[6]]
    )
    func views(way: Way) async throws {
        let (capture, keys) = try await capture(way)
        let secrets = ["--keylog", keys]
        let flows = try await shown([capture] + secrets)
        #expect(flows.output.contains("http in tls sni localhost host localhost:"), "\(flows.output)")
        #expect(flows.errors == "weir: TLS: decrypted 2 connections\n")
        let json = try LogLines(Array(try await shown([capture, "--json"] + secrets).output.utf8))
        #expect(json.objects.allSatisfy { $0["protocol"] as? String == "http" && $0["decrypted"] as? Bool == true })
        let plain = try await shown([capture])
        #expect(plain.output.contains("tls sni localhost") && plain.errors == "")

        let followed = try await shown([capture, "--follow", "1", "--as", "raw", "--only", "up"] + secrets)
        #expect(followed.output.hasPrefix("GET /a/5 HTTP/1.1\r\n") && followed.output.contains("GET /missing "))
        let found = try await shown([capture, "--grep", "no such thing"] + secrets)
        #expect(found.output.contains("no such thing") && found.status == 0)
        #expect(try await shown([capture, "--grep", "no such thing"]).output == "")
        let errors = try await shown([capture, "--errors"] + secrets)
        #expect(errors.output.contains("404"), "\(errors.output)")
        let chosen = try await shown([capture, "--where", "status = 201"] + secrets)
        #expect(chosen.output.contains("total: 1 flow of 2"), "\(chosen.output)")

        let exported = folder.path + "/files"
        #expect(try await shown([capture, "--export", exported] + secrets).status == 0)
        #expect(try folder.read("files/big/100000") == (0..<100_000).map { UInt8($0 * 7 % 251) })
        #expect(try folder.read("files/post") == Array("dlrow=olleh".utf8))
        let har = folder.path + "/all.har"
        #expect(try await shown([capture, "--har", har] + secrets).status == 0)
        let archive = try JSONSerialization.jsonObject(with: Data(try folder.read("all.har"))) as? [String: Any]
        #expect(((archive?["log"] as? [String: Any])?["entries"] as? [Any])?.count == 4)
        let sent = try await shown([capture, "--curl", "2"] + secrets)
        #expect(sent.output.hasPrefix("curl https://localhost:"), "\(sent.output)")
    }

    @Test("Wrong secrets and bad key logs are told", .needsProgram("curl"), .needsProgram("python3"))
    func faults() async throws {
        let capture = try await capture(Self.ways[0]).capture
        let lines = String(decoding: try folder.read("keys"), as: UTF8.self).split(separator: "\n")
        let wrong = lines.map { $0.dropLast(2) + ($0.hasSuffix("00") ? "11" : "00") }.joined(separator: "\n")
        let said = try await shown([capture, "--keylog", try folder.file("wrong", Array(wrong.utf8))])
        #expect(said.output.contains("tls sni localhost") && said.status == 0)
        let reason = "of the server on: a record does not decrypt: the secret is another one's, or bytes are wrong"
        #expect(said.errors.contains("weir: TLS: flow 1 stays encrypted from byte "), "\(said.errors)")
        #expect(said.errors.contains(reason), "\(said.errors)")
        let other = try await shown([capture, "--keylog", try folder.file("other", Array("no key\r\n".utf8))])
        let complaint = "/other' is no key log (LABEL CLIENT_RANDOM SECRET) in line 1\n"
        #expect(other.errors.contains(complaint), "\(other.errors)")
        let empty = try await shown([capture, "--keylog", try folder.file("empty", [])])
        #expect(empty.errors.contains("/empty' has no secrets"), "\(empty.errors)")
        let none = try await shown([capture, "--keylog", folder.path + "/none"])
        #expect(none.status == 66 && none.errors.contains("/none': no such file"), "\(none.errors)")
        // Of two files both count.
        let halves = [Array(lines.prefix(lines.count / 2)), Array(lines.dropFirst(lines.count / 2))].enumerated().map {
            try? folder.file("half\($0.offset)", Array($0.element.joined(separator: "\n").utf8))
        }
        let both = try await shown([capture, "--keylog", halves[0] ?? "", "--keylog", halves[1] ?? ""])
        #expect(both.errors == "weir: TLS: decrypted 2 connections\n")
    }
}
