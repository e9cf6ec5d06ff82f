import Foundation
import Support
import Testing
import WeirWire

/// Real servers, and clients that old, odd or distrustful, through the relay.
@Suite("TLS with real servers", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSServersTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    private static let request = "GET / HTTP/1.0\r\n\r\n"
    private static let old = ["-cipher", "DEFAULT:@SECLEVEL=0"]

    private func client(_ port: UInt16, _ options: [String], trusts: Bool = true) -> (words: [String], input: String) {
        let words = [
            "openssl", "s_client", "-quiet", "-ign_eof", "-connect", "localhost:\(port)", "-verify_return_error",
        ]
        return (words + (trusts ? ["-CAfile", fixture.trust] : []) + options, Self.request)
    }

    private func openSSLServer(_ files: TLSFixture.Files, _ options: [String]) throws -> (WeirProgram, UInt16) {
        let port = try LoopbackPort.free()
        let command = [
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate, "-key", files.key,
            "-www",
        ]
        return (try fixture.server(command + options, port: port), port)
    }

    @Test(
        "Redis and MQTT are read inside of TLS",
        .needsProgram("openssl"),
        .needsProgram("redis-server"),
        .needsProgram("redis-cli"),
        .needsProgram("mosquitto"),
        .needsProgram("mosquitto_pub")
    )
    func redisAndMosquitto() async throws {
        let files = try await fixture.certificate()
        let ports = [try LoopbackPort.free(), try LoopbackPort.free()]
        let redis = try fixture.server(
            [
                "redis-server", "--port", "0", "--tls-port", "\(ports[0])", "--bind", "127.0.0.1", "--save", "",
                "--dir", fixture.folder.path, "--tls-cert-file", files.certificate, "--tls-key-file", files.key,
                "--tls-ca-cert-file", files.certificate, "--tls-auth-clients", "no",
            ],
            port: ports[0],
            readied: false
        )
        let lines = """
            listener \(ports[1]) 127.0.0.1
            allow_anonymous true
            certfile \(files.certificate)
            keyfile \(files.key)
            user root

            """
        let configuration = try fixture.folder.file("mosquitto.conf", Array(lines.utf8))
        let mosquitto = try fixture.server(["mosquitto", "-c", configuration], port: ports[1])
        try fixture.wait(for: [ports[0]])
        let capture = fixture.folder.path + "/capture.pcapng"
        let (relay, relayed) = try await fixture.relay(
            ports.map { "tls:0=localhost:\($0)" },
            ["--tls-upstream-ca", files.certificate, "--record", capture]
        )
        let redisWords = ["redis-cli", "-h", "localhost", "-p", "\(relayed[0])", "--tls", "--cacert", fixture.trust]
        let topic = ["-h", "localhost", "-p", "\(relayed[1])", "--cafile", fixture.trust, "-t", "a/b"]
        let outcomes = try await fixture.together([
            (redisWords + ["SET", "greeting", "hello"], ""),
            (["mosquitto_sub", "-C", "1", "-W", "20"] + topic, ""),
            (["mosquitto_pub", "-r", "-m", "21.50"] + topic, ""),
        ])
        #expect(outcomes.map(\.text) == ["OK\n", "21.50\n", ""], "\(outcomes)")
        let got = try await fixture.run(redisWords + ["GET", "greeting"])
        #expect(got.text == "hello\n", "\(got)")
        #expect(try await relay.stop().status == 0)
        try fixture.end([redis, mosquitto])
        let shown = try await WeirProgram(["show", capture, "--messages"], seconds: 60).finish()
        for wanted in ["SET greeting", "GET greeting", "PUBLISH", "a/b"] {
            #expect(shown.text.contains(wanted), "\(wanted): \(shown.text)")
        }
    }

    @Test("TLS 1.0 and 1.1 are spoken with --tls-min 1.0, to old clients and to old servers", .needsProgram("openssl"))
    func oldVersions() async throws {
        let files = try await fixture.certificate()
        let (any, anyPort) = try openSSLServer(files, Self.old)
        let (only, onlyPort) = try openSSLServer(files, Self.old + ["-tls1"])
        let weak = try await fixture.certificate("weak", key: ["rsa:1024"])
        let (short, shortPort) = try openSSLServer(weak, Self.old)
        let trusted = try fixture.folder.file(
            "both.pem",
            try fixture.folder.read("server.pem") + fixture.folder.read("weak.pem")
        )
        let (relay, ports) = try await fixture.relay(
            [anyPort, onlyPort, shortPort].map { "tls:0=localhost:\($0)" },
            ["--tls-upstream-ca", trusted, "--tls-min", "1.0"]
        )
        // A client of TLS 1.0 lists no ECDSA: its certificate's key is RSA, which takes a moment to make.
        let deadline = Deadline(seconds: 30)
        let first = client(ports[0], Self.old + ["-tls1"])
        while !(try await fixture.run(first.words, input: first.input).text.contains("200 ok")) {
            if deadline.isOver { throw HelperError("no answer with TLS 1.0") }
        }
        let versions = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"]
        let outcomes = try await fixture.together(
            versions.map { client(ports[0], Self.old + [$0]) } + ports[1...].map { client($0, []) }
        )
        for (index, outcome) in outcomes.enumerated() {
            #expect(outcome.text.contains("200 ok"), "\(index): \(outcome)")
        }
        #expect(outcomes[4].text.contains("Protocol  : TLSv1\n"))
        _ = try await relay.stop()
        let secured = try LogLines(try fixture.folder.read("log")).all("tls")
        let spoken = Set(secured.compactMap { ($0["client_tls"] as? [String: Any])?["version"] as? String })
        #expect(spoken == ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])
        // Without it, neither is spoken, and nobody is said not to trust.
        try FileManager.default.removeItem(atPath: fixture.log)
        let (strict, strictPorts) = try await fixture.relay(
            [anyPort, onlyPort, shortPort].map { "tls:0=localhost:\($0)" },
            ["--tls-upstream-ca", trusted]
        )
        let refused = try await fixture.together(
            [client(strictPorts[0], ["-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "-tls1"])]
                + strictPorts[1...].map { client($0, []) }
        )
        #expect(refused.allSatisfy { !$0.text.contains("200 ok") })
        _ = try await strict.stop()
        // --tls-legacy takes the weak key, but no other version.
        let (legacy, legacyPorts) = try await fixture.relay(
            ["tls:0=localhost:\(shortPort)"],
            ["--tls-upstream-ca", trusted, "--tls-legacy"]
        )
        let taken = client(legacyPorts[0], [])
        #expect(try await fixture.run(taken.words, input: taken.input).text.contains("200 ok"))
        _ = try await legacy.stop()
        try fixture.end([any, only, short])
        let failures = try LogLines(try fixture.folder.read("log")).all("tls_failed")
        let reasons = Set(
            failures.compactMap { line in
                (line["leg"] as? String).map { "\($0): \(line["reason"] as? String ?? "")" }
            }
        )
        #expect(
            reasons == [
                "client: unsupported protocol", "server: alert protocol_version (70)",
                "server: certificate not verified: EE certificate key too weak",
            ]
        )
        let advice = Set(failures.compactMap { $0["advice"] as? String })
        #expect(
            advice == [
                "--tls-min and --tls-max choose other versions", "--tls-legacy takes weak keys and signatures",
            ]
        )
    }

    @Test(
        "A client that does not trust the CA is known by its alert, or by its end in the handshake, and told of",
        .needsProgram("openssl"),
        .needsProgram("curl"),
        .needsProgram("node"),
        .needsProgram("gnutls-cli"),
        .needsProgram("python3")
    )
    func distrust() async throws {
        let files = try await fixture.certificate()
        let (server, port) = try openSSLServer(files, [])
        // Each has a route of its own, as their order is open.
        let routes = Array(repeating: "tls:0=localhost:\(port)", count: 5)
        let (relay, ports) = try await fixture.relay(routes, ["--tls-upstream-ca", files.certificate])
        let python = """
            import socket, ssl
            connection = socket.create_connection(('127.0.0.1', \(ports[2])))
            ssl.create_default_context().wrap_socket(connection, server_hostname='localhost')
            """
        let node = "require('https').get('https://localhost:\(ports[3])/').on('error', e => process.exit(9))"
        let outcomes = try await fixture.together([
            client(ports[0], [], trusts: false),
            (["curl", "-sS", "--noproxy", "*", "https://localhost:\(ports[1])/"], ""),
            (["python3", "-I", "-c", python], ""), (["node", "-e", node], ""),
            (["gnutls-cli", "--logfile=/dev/null", "-p", "\(ports[4])", "localhost"], ""),
        ])
        #expect(outcomes.allSatisfy { $0.status != 0 })
        _ = try await relay.stop()
        try fixture.end([server])
        let failures = try LogLines(try fixture.folder.read("log")).all("tls_failed")
        let reasons = ports.map { port in
            failures.filter { ($0["listener"] as? String) == "127.0.0.1:\(port)" }.map { $0["reason"] as? String ?? "" }
        }
        let unknown = ["alert unknown_ca (48)"]
        #expect(
            reasons == [
                unknown, unknown, unknown, ["the connection ended in the handshake"], ["alert bad_certificate (42)"],
            ]
        )
        #expect(failures.allSatisfy { ($0["advice"] as? String)?.contains("weir ca trust") == true })
    }

    @Test(
        "The certificates pass the strict checks of OpenSSL and of GnuTLS",
        .needsProgram("openssl"),
        .needsProgram("certtool")
    )
    func strictness() async throws {
        _ = try await WeirProgram(["ca", "make", "--tls-ca", fixture.authority], seconds: 60).finish()
        let echo = try WeirProgram(["echo", "--show", "none", "--tls-ca", fixture.authority, "tls:0"], seconds: 60)
        let port = try echo.listening()[0].port
        let shown = try await fixture.run([
            "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-servername", "example.test", "-showcerts",
        ])
        _ = try await echo.stop()
        let begin = try #require(shown.text.range(of: "-----BEGIN CERTIFICATE-----"))
        let end = try #require(shown.text.range(of: "-----END CERTIFICATE-----\n"))
        let leaf = try fixture.folder.file("leaf.pem", Array(shown.text[begin.lowerBound..<end.upperBound].utf8))
        let verify = ["openssl", "verify", "-x509_strict", "-CAfile", fixture.trust, "-purpose", "sslserver"]
        let certtool = ["certtool", "--verify", "--load-ca-certificate", fixture.trust, "--infile", leaf]
        let outcomes = try await fixture.together([
            (verify + ["-verify_hostname", "example.test", leaf], ""),
            (verify + ["-verify_ip", "127.0.0.1", leaf], ""),
            (verify + ["-verify_hostname", "example.org", leaf], ""),
            (certtool + ["--verify-hostname", "example.test", "--verify-purpose", "1.3.6.1.5.5.7.3.1"], ""),
            (certtool + ["--verify-hostname", "example.org"], ""),
        ])
        #expect(outcomes.map { $0.status == 0 } == [true, true, false, true, false], "\(outcomes)")
        #expect(outcomes[3].text.contains("Chain verification output: Verified. The certificate is trusted."))
    }
}
