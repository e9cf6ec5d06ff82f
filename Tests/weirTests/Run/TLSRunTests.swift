import Foundation
import Support
import Testing
import WeirWire

@Suite("weir run --tls with real programs", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSRunTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    /// The variables that lead to the CA; the machine's own are unset, so that the tests see what Weir sets.
    private static let variables = [
        "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
        "AWS_CA_BUNDLE", "PIP_CERT", "CARGO_HTTP_CAINFO", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HTTPLIB2_CA_CERTS",
    ]

    /// Runs a command under Weir, which shows nothing.
    private func watch(
        _ options: [String],
        _ command: [String],
        environment: [String] = []
    ) async throws -> WeirProgram.Ended {
        let unset = (Self.variables + ["SSL_CERT_DIR", "PGSSLROOTCERT"]).flatMap { ["-u", $0] }
        return try await WeirProgram(
            ["run", "--tls", "--tls-ca", fixture.authority, "--show", "none", "-o", fixture.folder.path + "/shown"]
                + ["--log", fixture.log] + options + ["--"] + command,
            launcher: ["env"] + unset + ["no_proxy=*"] + environment,
            seconds: 100
        ).finish()
    }

    /// Starts OpenSSL's web server, whose certificate is its own.
    private func web() async throws -> (server: WeirProgram, port: UInt16, files: TLSFixture.Files) {
        let files = try await fixture.certificate()
        let port = try LoopbackPort.free()
        let server = try fixture.server(
            [
                "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate, "-key",
                files.key, "-www",
            ],
            port: port
        )
        return (server, port, files)
    }

    private func records() throws -> LogLines {
        defer { try? FileManager.default.removeItem(atPath: fixture.log) }
        return try LogLines(try fixture.folder.read("log"))
    }

    private static let urllib = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())"
    private static let node = """
        require('https').get(process.argv[1], r => r.on('data', d => process.stdout.write(d)))
        """

    @Test(
        "What programs say through TLS is decrypted, and they trust it",
        .needsProgram("openssl"),
        .needsProgram("curl"),
        .needsProgram("python3"),
        .needsProgram("node")
    )
    func programs() async throws {
        let (server, port, files) = try await web()
        let url = "https://localhost:\(port)/"
        let clients = [
            ["curl", "-sS", url], ["python3", "-I", "-c", Self.urllib, url], ["node", "-e", Self.node, url],
            [
                "sh", "-c",
                "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -ign_eof -verify_return_error"
                    + " -connect localhost:\(port) -servername localhost",
            ],
        ]
        for client in clients {
            let ended = try await watch(["--tls-upstream-ca", files.certificate], client)
            #expect(ended.status == 0 && ended.text.contains("s_server"), "\(client): \(ended.errors)")
            let secured = try #require(try records().all("tls").first, "\(client)")
            #expect(secured["sni"] as? String == "localhost", "\(client)")
            #expect((secured["certificate"] as? [String: Any])?["verified"] as? Bool == true, "\(client)")
        }
        try fixture.end([server])
    }

    @Test(
        "git clones through it, and what is not TLS stays as it is",
        .needsProgram("openssl"),
        .needsProgram("git"),
        .needsProgram("python3")
    )
    func git() async throws {
        let files = try await fixture.certificate()
        let folder = fixture.folder.path
        let made = try await fixture.run([
            "sh", "-c",
            """
            cd \(folder) && git init -q work && cd work && echo text >file && git add file \
            && git -c user.email=a@b -c user.name=a commit -qm one && git update-server-info
            """,
        ])
        #expect(made.status == 0, "\(made.errors)")
        let code = """
            import functools, http.server, ssl, sys
            handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
            server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
            if sys.argv[2] != '-':
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[2], sys.argv[3])
                server.socket = context.wrap_socket(server.socket, server_side=True)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        for (scheme, words) in [("https", [files.certificate, files.key]), ("http", ["-", "-"])] {
            let server = try WeirProgram(
                ["python3", "-I", "-c", code, folder + "/work/.git"] + words,
                launcher: WeirProgram.instead("env"),
                seconds: 100
            )
            let port = try server.readOutput(through: "\n").dropLast()
            let ended = try await watch(
                ["--tls-upstream-ca", files.certificate],
                ["git", "clone", "-q", "\(scheme)://localhost:\(port)/", folder + "/\(scheme)"]
            )
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(try fixture.folder.read("\(scheme)/file") == Array("text\n".utf8))
            let lines = try records()
            #expect(lines.all("tls").isEmpty == (scheme == "http") && lines.all("tls_failed").isEmpty)
            server.send(SIGTERM)
            _ = try await server.finish()
        }
    }

    @Test("The command's variables name a file with the system's certificates and the CA's, which stays; a line tells")
    func environment() async throws {
        let ended = try await watch([], ["env"])
        #expect(ended.status == 0)
        var values: [String: String] = [:]
        for line in ended.text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        let own = try fixture.folder.read("ca/ca.pem")
        for name in Self.variables {
            let path = try #require(values[name], "\(name)")
            #expect(path.hasPrefix(fixture.authority + "/bundle-"), "\(name)=\(path)")
            let bytes = try #require(FileManager.default.contents(atPath: path), "\(name)").map { $0 }
            #expect(bytes.suffix(own.count) == own[...], "\(name)")
            #expect((bytes.count > own.count) == (name != "NODE_EXTRA_CA_CERTS"), "\(name)")
        }
        #expect(values["PGSSLROOTCERT"] == nil && values["SSL_CERT_DIR"] == nil)
        let lines = ended.errors.split(separator: "\n")
        try #require(lines.count == 2, "\(ended.errors)")
        #expect(lines[0].hasPrefix("weir: made a CA, which clients must trust: "))
        #expect(lines[1].hasPrefix("weir: TLS is decrypted; \(Self.variables.count) variables lead"))
        let bundles = try FileManager.default.contentsOfDirectory(atPath: fixture.authority).filter {
            $0.hasPrefix("bundle-")
        }
        #expect(Set(bundles).count == 2)
        let removed = try await WeirProgram(["ca", "remove", "--tls-ca", fixture.authority], seconds: 30).finish()
        #expect(removed.status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.authority) == [])
    }

    @Test(
        "What the user's own variable trusts stays trusted, by the program and in its place by Weir",
        .needsProgram("openssl"),
        .needsProgram("curl")
    )
    func ownVariable() async throws {
        let (server, port, files) = try await web()
        let url = "https://localhost:\(port)/"
        let command = ["sh", "-c", "cat $CURL_CA_BUNDLE; curl -sS \(url)"]
        let ended = try await watch([], command, environment: ["CURL_CA_BUNDLE=\(files.certificate)"])
        let both = try fixture.folder.read("server.pem") + fixture.folder.read("ca/ca.pem")
        #expect(ended.text.hasPrefix(String(decoding: both, as: UTF8.self)), "\(ended.text)")
        #expect(ended.status == 0 && ended.text.contains("s_server"), "\(ended.errors)")
        #expect(try records().all("tls").count == 1)
        // Past Weir it is trusted as before.
        let past = try await watch(
            ["--except", "tcp"],
            command,
            environment: ["CURL_CA_BUNDLE=\(files.certificate)"]
        )
        #expect(past.status == 0 && past.text.contains("s_server"), "\(past.errors)")
        let none = try await watch([], ["sh", "-c", "curl -sS \(url)"])
        #expect(none.status == 35, "\(none.errors)")
        let failed = try #require(try records().all("tls_failed").first)
        #expect(failed["leg"] as? String == "server")
        let folder = try await watch([], ["sh", "-c", "echo $PIP_CERT"], environment: ["PIP_CERT=/etc"])
        #expect(folder.text == "/etc\n" && folder.errors.contains("; PIP_CERT left as set: no file of certificates."))
        try fixture.end([server])
    }

    @Test(
        "A program that does not trust the CA fails as it would with an unknown server, and the record says what to do",
        .needsProgram("openssl"),
        .needsProgram("curl")
    )
    func distrust() async throws {
        let (server, port, files) = try await web()
        let client = ["curl", "-sS", "--cacert", files.certificate, "https://localhost:\(port)/"]
        let trust = ["--tls-upstream-ca", files.certificate]
        let ended = try await watch(trust, client)
        #expect(ended.status == 60)
        let failed = try #require(try records().all("tls_failed").first)
        #expect(failed["leg"] as? String == "client" && failed["reason"] as? String == "alert unknown_ca (48)")
        #expect((failed["advice"] as? String)?.contains("see: weir ca trust") == true)
        let left = try await watch(trust + ["--tls-except", "localhost"], client)
        #expect(left.status == 0 && left.text.contains("s_server"), "\(left.errors)")
        #expect(try records().all("tls_bypassed").count == 1)
        try fixture.end([server])
    }

    @Test(
        "Toxics, captures and filters meet what was decrypted",
        .needsProgram("openssl"),
        .needsProgram("curl")
    )
    func combined() async throws {
        let (server, port, files) = try await web()
        let capture = fixture.folder.path + "/capture.pcapng"
        let ended = try await watch(
            [
                "--tls-upstream-ca", files.certificate, "--only", "tcp:\(port)", "--record", capture, "--toxic",
                "replace,down,find=s_server,with=S_SERVER",
            ],
            ["curl", "-sS", "https://localhost:\(port)/path"]
        )
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.text.contains("S_SERVER") && !ended.text.contains("s_server"))
        let shown = try await WeirProgram(["show", capture, "--messages"], seconds: 60).finish()
        #expect(shown.text.contains("GET /path") && shown.text.contains("200"), "\(shown.text)")
        try fixture.end([server])
    }

    @Test("The options for TLS need --tls", arguments: [["--tls-ca", "x"], ["--tls-except", "x"], ["--tls-legacy"]])
    func needsTLS(options: [String]) async throws {
        let ended = try await WeirProgram(["run"] + options + ["--", "true"], seconds: 30).finish()
        #expect(ended.status == 64 && ended.errors.contains("the options --tls-... need --tls."), "\(ended.errors)")
    }
}
