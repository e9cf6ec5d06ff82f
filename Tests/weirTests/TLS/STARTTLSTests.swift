import Foundation
import Support
import Testing
import WeirWire

/// TLS that begins in the middle of a stream, with real clients, through routes that see what comes.
@Suite("STARTTLS with real peers", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct STARTTLSTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    private static let kinds = [
        "smtp", "lmtp", "pop3", "imap", "ftp", "nntp", "sieve", "irc", "xmpp", "ldap", "postgres", "mysql",
    ]
    /// Sends a request behind STARTTLS in the same chunk, as those do that try to bring it into the encrypted stream.
    private static let injection = """
        import socket, ssl, sys
        c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
        f = c.makefile('rb')
        f.readline(); c.sendall(b'EHLO test\\r\\n'); f.readline(); f.readline()
        c.sendall(b'STARTTLS\\r\\nINJECTED\\r\\n'); f.readline()
        t = ssl.create_default_context(cafile=sys.argv[2]).wrap_socket(c, server_hostname='localhost')
        t.sendall(b'ping\\r\\n'); print(t.recv(100).decode())
        """
    private static let mail = """
        import smtplib, ssl, sys
        s = smtplib.SMTP('localhost', int(sys.argv[1]))
        s.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
        print(s.sendmail('a@test', ['b@test'], 'Subject: hello\\n\\nsecret words\\n'))
        s.sock.unwrap()
        """

    @Test(
        "Each protocol that turns to TLS is decrypted from there on, and what was injected before stays before",
        .needsProgram("openssl"),
        .needsProgram("python3")
    )
    func kinds() async throws {
        let files = try await fixture.certificate()
        let server = try WeirProgram(
            ["-I", TLSFixture.script("starttls"), files.certificate, files.key] + Self.kinds,
            launcher: WeirProgram.instead("python3"),
            seconds: 100
        )
        let said = try server.readOutput(through: "mysql ").split(separator: "\n")
        let ports = said.compactMap { $0.split(separator: " ").last.flatMap { UInt16($0) } }
        try #require(ports.count == Self.kinds.count)
        let capture = fixture.folder.path + "/capture.pcapng"
        let (relay, relayed) = try await fixture.relay(
            ports.map { "auto:0=localhost:\($0)" },
            ["--tls-upstream-ca", files.certificate, "--record", capture]
        )
        var commands = zip(Self.kinds, relayed).map { kind, port in
            let words = [
                "openssl", "s_client", "-starttls", kind, "-connect", "localhost:\(port)", "-CAfile", fixture.trust,
                "-verify_return_error", "-verify_hostname", "localhost", "-quiet", "-ign_eof",
            ]
            return (words: words, input: "ping\n")
        }
        for script in [Self.injection, Self.mail] {
            commands.append((["python3", "-I", "-c", script, "\(relayed[0])", fixture.trust], ""))
        }
        let outcomes = try await fixture.together(commands)
        for (kind, outcome) in zip(Self.kinds, outcomes) {
            #expect(outcome.text.contains("pong \(kind) \n"), "\(kind): \(outcome)")
        }
        #expect(outcomes[Self.kinds.count].text.contains("pong smtp INJECTED\n"), "\(outcomes[Self.kinds.count])")
        #expect(outcomes.last?.text == "{}\n", "\(String(describing: outcomes.last))")
        #expect(try await relay.stop().status == 0)
        server.closeInput()
        _ = try server.waitForEnd()
        let lines = try LogLines(try fixture.folder.read("log"))
        let secured = lines.all("tls")
        #expect(secured.count == Self.kinds.count + 2)
        #expect(secured.allSatisfy { ($0["after"] as? [String: Any])?["upstream_bytes"] as? Int ?? 0 > 0 })
        let reasons = lines.all("close").compactMap { $0["reason"] as? String }
        #expect(reasons.allSatisfy { $0 == "finished" }, "\(reasons), \(lines.all("tls_failed"))")
        let recorded = String(decoding: try fixture.folder.read("capture.pcapng"), as: UTF8.self)
        #expect(recorded.contains("secret words"))
    }

    @Test(
        "PostgreSQL is read inside of TLS, with sslmode=require and verify-full, and without TLS",
        .needsProgram("psql"),
        .needs("PostgreSQL's server") { PostgreSQLServer.isInstalled }
    )
    func postgreSQL() async throws {
        let files = try await fixture.certificate()
        let server = try await PostgreSQLServer(fixture, files)
        let route = "auto:0=localhost:\(server.port)"
        let both = try fixture.folder.file(
            "both.pem",
            try fixture.folder.read("server.pem") + fixture.folder.read("server.key")
        )
        let trust = ["--tls-upstream-ca", files.certificate]
        let (relay, ports) = try await fixture.relay([route], trust)
        let (same, others) = try await fixture.relay([route], trust + ["--tls-cert", both])
        let unbound = "channel_binding=disable"
        let outcomes = try await fixture.together([
            psql(ports[0], "sslmode=require \(unbound)"),
            psql(ports[0], "sslmode=verify-full sslrootcert=\(fixture.trust) \(unbound)"),
            psql(ports[0], "sslmode=disable"), psql(ports[0], "sslmode=require"),
            psql(others[0], "sslmode=verify-full sslrootcert=\(files.certificate) channel_binding=require"),
        ])
        // SCRAM with channel binding sees that the client's certificate is another one; not so with the server's own.
        #expect(outcomes.map(\.text) == ["t|TLSv1.3\n", "t|TLSv1.3\n", "f|\n", "", "t|TLSv1.3\n"], "\(outcomes)")
        #expect(outcomes[3].errors.contains("channel binding check failed"))
        _ = try await relay.stop()
        _ = try await same.stop()
        try fixture.end([server.program])
        let lines = try LogLines(try fixture.folder.read("log"))
        #expect(lines.all("tls").count == 4 && lines.all("tls_failed").isEmpty)
        #expect(lines.sum("bytes_up", of: "close") > 300)
    }

    /// Returns a client that asks what its connection's TLS is.
    private func psql(_ port: UInt16, _ mode: String) -> (words: [String], input: String) {
        let query = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
        let target = "host=localhost port=\(port) user=postgres dbname=postgres gssencmode=disable \(mode)"
        return (["PGPASSWORD=secret", "psql", "-X", "-A", "-t", "-c", query, target], "")
    }
}

/// PostgreSQL's server in a folder of a test, as the user postgres if the test is root.
private struct PostgreSQLServer {
    let program: WeirProgram
    let port: UInt16

    /// The folder of its programs: Debian has one for each version.
    private static let folder: String = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let latest = versions.max { $0.compare($1, options: .numeric) == .orderedAscending }
        return "/usr/lib/postgresql/\(latest ?? "none")/bin"
    }()

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: folder + "/postgres") }

    /// Makes a database, and starts its server with a certificate.
    init(_ fixture: TLSFixture, _ files: TLSFixture.Files) async throws {
        let user = geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
        let folder = fixture.folder.path + "/postgres"
        port = try LoopbackPort.free()
        let script = """
            set -e
            mkdir -m 700 \(folder)
            cd \(folder)
            echo secret >password
            cp \(files.certificate) server.pem
            cp \(files.key) server.key
            chmod 600 server.key
            if [ $(id -u) -eq 0 ]; then chown -R postgres .; chmod 711 ..; fi
            exec \(user.joined(separator: " ")) \(Self.folder)/initdb -D data -U postgres --no-sync \\
                -A scram-sha-256 --pwfile=password
            """
        let made = try await fixture.run(["sh", "-c", script])
        guard made.status == 0 else { throw HelperError("initdb: \(made.errors)") }
        program = try fixture.server(
            user + [
                "\(Self.folder)/postgres", "-D", "\(folder)/data", "-p", "\(port)", "-k", folder, "-c",
                "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=on", "-c",
                "ssl_cert_file=\(folder)/server.pem", "-c", "ssl_key_file=\(folder)/server.key",
            ],
            port: port
        )
    }
}
