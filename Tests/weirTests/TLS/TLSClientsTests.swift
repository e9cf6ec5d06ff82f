import Foundation
import Support
import Testing
import WeirWire

/// Real clients, beside each other, through the relay to nginx, which answers with what it saw of the relay.
@Suite("TLS with real clients", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSClientsTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    /// A client, and what the server saw: `PORT` is that of the relay, `TRUST` the CA's certificate.
    private struct Client {
        var name: String
        /// 0 for the server that speaks HTTP/2, 1 for the one that does not.
        var server = 0
        var command: [String]
        var input = ""
        var wanted: String
    }

    private static let request = "GET / HTTP/1.0\r\n\r\n"
    /// What the server says of a client without a name and without protocols.
    private static let plain = "HTTP/1.0 TLSv1.3 sni=localhost alpn= reused=. early= group=X25519"

    private static func curl(_ options: String..., url: String = "https://localhost:PORT/") -> [String] {
        ["curl", "-sS", "--noproxy", "*", "--cacert", "TRUST"] + options + [url]
    }

    private static func openssl(_ name: String, _ options: String...) -> Client {
        let client = [
            "openssl", "s_client", "-quiet", "-ign_eof", "-connect", "localhost:PORT", "-CAfile", "TRUST",
            "-verify_return_error", "-verify_hostname", "localhost", "-x509_strict",
        ]
        return Client(name: "openssl: \(name)", command: client + options, input: request, wanted: plain)
    }

    private static let node = """
        require('https').get('https://localhost:PORT/', r => r.on('data', d => process.stdout.write(d)))
            .on('error', e => { console.error(e.code); process.exitCode = 9 })
        """

    private static let clients = [
        Client(
            name: "curl with HTTP/2",
            command: curl("--http2"),
            wanted: "HTTP/2.0 TLSv1.3 sni=localhost alpn=h2 reused=. early= group=X25519"
        ),
        Client(
            name: "curl with HTTP/1.1",
            command: curl("--http1.1"),
            wanted: "HTTP/1.1 TLSv1.3 sni=localhost alpn=http/1.1 reused=. early= group=X25519"
        ),
        Client(
            name: "curl with HTTP/2 and a server without",
            server: 1,
            command: curl("--http2"),
            wanted: "HTTP/1.1 TLSv1.3 sni=localhost alpn=http/1.1 reused=. early= group=X25519"
        ),
        Client(
            name: "curl without protocols",
            command: curl("--no-alpn"),
            wanted: "HTTP/1.1 TLSv1.3 sni=localhost alpn= reused=. early= group=X25519"
        ),
        Client(
            name: "curl to an address",
            command: curl("--no-alpn", url: "https://127.0.0.1:PORT/"),
            wanted: "HTTP/1.1 TLSv1.3 sni=localhost alpn= reused=. early= group=X25519"
        ),
        Client(
            name: "node",
            command: ["env", "NODE_EXTRA_CA_CERTS=TRUST", "node", "-e", node],
            wanted: "HTTP/1.1 TLSv1.3 sni=localhost alpn="
        ),
        Client(
            name: "gnutls",
            command: ["gnutls-cli", "--x509cafile=TRUST", "--logfile=/dev/null", "-p", "PORT", "localhost"],
            input: request,
            wanted: plain
        ),
        openssl("TLS 1.2", "-tls1_2"), openssl("TLS 1.3", "-tls1_3"),
        openssl("ECDSA alone", "-sigalgs", "ECDSA+SHA256"),
        openssl("RSA alone", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
        openssl("TLS 1.2, RSA's suites", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
        openssl("TLS 1.2, RSA's key exchange", "-tls1_2", "-cipher", "AES128-SHA"),
        openssl("what looks like ECH", "-serverinfo", "65037"),
        openssl("TLS 1.2, no P-256", "-tls1_2", "-groups", "X25519"), openssl("P-384", "-groups", "P-384"),
    ]

    /// Fills in a client's words.
    private func fill(_ words: [String], _ port: UInt16) -> [String] {
        words.map {
            $0.replacingOccurrences(of: "PORT", with: "\(port)").replacingOccurrences(of: "TRUST", with: fixture.trust)
        }
    }

    /// Starts nginx with two ports, and returns the server and both.
    private func nginx() async throws -> (server: WeirProgram, ports: [UInt16], certificate: String) {
        let files = try await fixture.certificate()
        let ports = [try LoopbackPort.free(), try LoopbackPort.free()]
        let seen = "$server_protocol $ssl_protocol sni=$ssl_server_name alpn=$ssl_alpn_protocol"
        let servers = zip(ports, [" http2", ""]).map { port, http2 in
            """
            server {
                listen 127.0.0.1:\(port) ssl\(http2);
                location / { return 200 "\(seen) reused=$ssl_session_reused early=$ssl_early_data group=$ssl_curve\\n"; }
            }
            """
        }
        let configuration = """
            daemon off; master_process off; pid nginx.pid; error_log stderr;
            events {}
            http {
                access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
                uwsgi_temp_path t4; scgi_temp_path t5; default_type text/plain;
                ssl_certificate \(files.certificate); ssl_certificate_key \(files.key);
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_session_cache shared:a:1m; ssl_session_tickets on; ssl_early_data on;
                \(servers.joined())
            }
            """
        let path = try fixture.folder.file("nginx.conf", Array(configuration.utf8))
        let server = try fixture.server(["nginx", "-p", fixture.folder.path, "-c", path], port: ports[0])
        try fixture.wait(for: [ports[1]])
        return (server, ports, files.certificate)
    }

    @Test(
        "Each client reads the server's answer; ALPN is mirrored; nobody resumes, sends early data or an address as a name",
        .needsProgram("curl"),
        .needsProgram("nginx"),
        .needsProgram("node"),
        .needsProgram("gnutls-cli"),
        .needsProgram("openssl"),
        .needsProgram("python3")
    )
    func clients() async throws {
        let (server, targets, certificate) = try await nginx()
        let (relay, ports) = try await fixture.relay(
            targets.map { "tls:0=localhost:\($0)" },
            ["--tls-upstream-ca", certificate]
        )
        // The key for clients without ECDSA is made for the first of them, which waits for it.
        let words = fill(Self.openssl("", "-sigalgs", "RSA-PSS+SHA256").command, ports[0])
        #expect(try await fixture.run(words, input: Self.request).text.contains(Self.plain))
        var commands = Self.clients.map { (fill($0.command, ports[$0.server]), $0.input) }
        let hellos = ["python3", "-I", TLSFixture.script("hellos"), "\(ports[0])", fixture.trust]
        commands.append((hellos, ""))
        let outcomes = try await fixture.together(commands)
        for (client, outcome) in zip(Self.clients, outcomes) {
            #expect(outcome.text.contains(client.wanted), "\(client.name): \(outcome)")
        }
        checkHellos(try #require(outcomes.last))
        #expect(try await relay.stop().status == 0)
        try fixture.end([server])
        let lines = try LogLines(try fixture.folder.read("log"))
        let secured = lines.all("tls")
        // One client was there before, and the script has ten connections.
        #expect(secured.count == Self.clients.count + 1 + 10)
        let groups = secured.compactMap { ($0["server_tls"] as? [String: Any])?["group"] as? String }
        #expect(groups == Array(repeating: "x25519", count: secured.count))
        #expect(secured.contains { ($0["client_tls"] as? [String: Any])?["group"] as? String == "secp384r1" })
        #expect(
            secured.allSatisfy { $0["own_ja4"] as? String != nil && $0["own_ja4"] as? String != $0["ja4"] as? String }
        )
        #expect(secured.allSatisfy { ($0["certificate"] as? [String: Any])?["verified"] as? Bool == true })
        #expect(secured.count { $0["ech"] as? Bool == true } == 1)
        #expect(lines.all("tls_failed").isEmpty)
    }

    /// Checks what the client with odd hellos printed: name, size, version, protocol, answer.
    private func checkHellos(_ outcome: TLSFixture.Outcome) {
        let lines = outcome.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.count == 10 && lines.allSatisfy { $0.suffix(3) == ["HTTP/1.1", "200", "OK"] }, "\(outcome)")
        let sizes = Dictionary(lines.map { ($0[0], Int($0[1]) ?? 0) }) { one, _ in one }
        #expect(
            (sizes["1600"] ?? 0) >= 1600 && sizes["new-TLSv1.2"] != nil && sizes["new-TLSv1.3"] != nil
                && (sizes["16000-records"] ?? 0) >= 15_900,
            "\(sizes)"
        )
    }
}
