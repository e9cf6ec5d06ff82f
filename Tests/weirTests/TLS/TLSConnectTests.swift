import Foundation
import Support
import Testing
import WeirWire

@Suite("weir connect over TLS", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSConnectTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    /// Connects to a port of this machine, with standard input to its end, and returns what became of it.
    private func connect(
        _ options: [String],
        to port: UInt16,
        at host: String = "localhost",
        input: [UInt8] = []
    ) async throws -> WeirProgram.Ended {
        try await WeirProgram(["connect", "-4", "--tls"] + options + [host, "\(port)"], seconds: 60).finish(
            sending: input
        )
    }

    /// Starts an echo server behind TLS.
    private func echo() async throws -> (server: WeirProgram, port: UInt16) {
        _ = try await WeirProgram(["ca", "make", "--tls-ca", fixture.authority], seconds: 60).finish()
        let server = try WeirProgram(
            ["echo", "--show", "none", "--tls-ca", fixture.authority, "tls:127.0.0.1:0"],
            seconds: 100
        )
        return (server, try server.listening()[0].port)
    }

    /// Starts the program `ends`, and returns it with its port.
    private func ends(_ mode: String, _ files: TLSFixture.Files) throws -> (program: WeirProgram, port: UInt16) {
        let program = try WeirProgram(
            ["python3", "-I", TLSFixture.script("ends"), mode, files.certificate, files.key, files.certificate],
            launcher: WeirProgram.instead("env"),
            seconds: 60
        )
        return (program, try #require(UInt16(try program.readOutput(through: "\n").dropLast())))
    }

    @Test("5 MB go to an echo server and come back at the same time, in each version", arguments: ["1.2", "1.3"])
    func both(version: String) async throws {
        let (server, port) = try await echo()
        let bytes = Pattern.bytes(5_000_000)
        let ended = try await connect(
            ["--tls-upstream-ca", fixture.trust, "--tls-max", version],
            to: port,
            input: bytes
        )
        #expect(ended.output == bytes)
        #expect(ended.status == 0)
        #expect(ended.errors.hasPrefix("tls server TLS \(version) localhost, verified (CN=Weir CA "), "\(ended.errors)")
        #expect(ended.errors.split(separator: "\n").count == 1)
        _ = try await server.stop()
    }

    @Test("A slow reader of standard output does not keep the input from the server, and loses nothing")
    func slowOutput() async throws {
        let (server, port) = try await echo()
        let program = try WeirProgram(
            ["connect", "-4", "--tls", "--tls-upstream-ca", fixture.trust, "localhost", "\(port)"],
            seconds: 60
        )
        let bytes = Pattern.bytes(300_000)
        // Nobody reads standard output yet, whose pipe holds 64 KiB.
        try program.write(bytes)
        let ended = try await program.finish()
        #expect(ended.output == bytes && ended.status == 0)
        _ = try await server.stop()
    }

    @Test(
        "The end of the input is said to the server, whose answer is still read, and the protocol is agreed on",
        .needsProgram("openssl"),
        .needsProgram("python3")
    )
    func halfClose() async throws {
        let files = try await fixture.certificate()
        let (server, port) = try ends("half", files)
        let options = ["--tls-upstream-ca", files.certificate, "--tls-alpn", "h3,x/1,h2"]
        let ended = try await connect(options, to: port, input: Pattern.bytes(100_000))
        #expect(String(decoding: ended.output, as: UTF8.self) == "got 100000" && ended.status == 0)
        #expect(
            ended.errors.hasPrefix("tls server TLS 1.3 x/1 localhost, verified (CN=localhost), "),
            "\(ended.errors)"
        )
        #expect(try await server.finish().text == "close_notify 100000 x/1\n")
    }

    @Test(
        "A server that ends without close_notify is an error, after all that came is written",
        .needsProgram("openssl"),
        .needsProgram("python3")
    )
    func truncated() async throws {
        let files = try await fixture.certificate()
        let (server, port) = try ends("cut", files)
        let ended = try await connect(["--tls-upstream-ca", files.certificate], to: port, input: Array("hello".utf8))
        #expect(String(decoding: ended.output, as: UTF8.self) == "got 5" && ended.status == 74)
        let reason = "it ended without close_notify: what came may have been cut"
        #expect(ended.errors.hasSuffix("weir: TLS with 127.0.0.1:\(port) failed: \(reason)\n"), "\(ended.errors)")
        _ = try await server.finish()
    }

    @Test(
        "A server that ends first ends the program, while standard input stays open",
        .needsProgram("openssl"),
        .needsProgram("python3")
    )
    func serverFirst() async throws {
        let files = try await fixture.certificate()
        let (server, port) = try ends("first", files)
        let program = try WeirProgram(
            ["connect", "-4", "--tls", "--tls-insecure-upstream", "localhost", "\(port)"],
            seconds: 60
        )
        let ended = try await program.finish(closesInput: false)
        #expect(String(decoding: ended.output, as: UTF8.self) == "bye" && ended.status == 0, "\(ended.errors)")
        #expect(ended.errors.contains(", not verified (CN=localhost), "))
        // The server's unwrap waits for this side's close_notify.
        #expect(try await server.finish().text == "")
    }

    @Test(
        "A server gets the certificate that it asks for, or its alert is told",
        .needsProgram("openssl"),
        .needsProgram("python3"),
        arguments: [true, false]
    )
    func clientCertificate(isGiven: Bool) async throws {
        let files = try await fixture.certificate()
        let own = fixture.folder.path + "/own.pem"
        try Data(try fixture.folder.read("server.pem") + fixture.folder.read("server.key")).write(
            to: URL(fileURLWithPath: own)
        )
        let (server, port) = try ends("client", files)
        let ended = try await connect(
            ["--tls-insecure-upstream"] + (isGiven ? ["--tls-client-cert", own] : []),
            to: port,
            input: Array("hello".utf8)
        )
        #expect(ended.status == (isGiven ? 0 : 74), "\(ended.errors)")
        let advice = "alert certificate_required (116); the server asks for a certificate: --tls-client-cert FILE\n"
        #expect(ended.errors.hasSuffix(advice) == !isGiven, "\(ended.errors)")
        #expect(String(decoding: ended.output, as: UTF8.self) == (isGiven ? "got 5" : ""))
        _ = try await server.finish()
    }

    @Test("A server that cannot be verified is refused, with advice", .needsProgram("openssl"))
    func unverified() async throws {
        let (server, port) = try await echo()
        let unknown = try await connect([], to: port)
        #expect(unknown.status == 69 && unknown.output == [])
        #expect(
            unknown.errors == """
                weir: TLS with 127.0.0.1:\(port) failed: certificate not verified: unable to get local issuer certificate; \
                --tls-upstream-ca FILE trusts another CA, --tls-insecure-upstream any server

                """
        )
        _ = try await server.stop()
        let files = try await fixture.certificate()
        let peer = try LoopbackPort.free()
        let openssl = try fixture.server(
            [
                "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(peer)", "-cert", files.certificate, "-key",
                files.key,
            ],
            port: peer
        )
        for (options, host) in [([], "127.0.0.1"), (["--tls-upstream-name", "other.test"], "localhost")] {
            let wrong = try await connect(["--tls-upstream-ca", files.certificate] + options, to: peer, at: host)
            #expect(wrong.status == 69)
            #expect(
                wrong.errors.hasSuffix(
                    "mismatch; --tls-upstream-name NAME verifies another name, --tls-insecure-upstream verifies nothing\n"
                ),
                "\(wrong.errors)"
            )
        }
        let named = try await connect(
            ["--tls-upstream-ca", files.certificate, "--tls-upstream-name", "localhost"],
            to: peer,
            at: "127.0.0.1"
        )
        #expect(named.errors.hasPrefix("tls server TLS 1.3 localhost, verified (CN=localhost), "), "\(named.errors)")
        try fixture.end([openssl])
    }

    @Test("A server that speaks no TLS, or none of the versions, is told", .needsProgram("openssl"))
    func noTLS() async throws {
        let listener = try TCPServer()
        let plain = try Background {
            let peer = try listener.accept()
            _ = try peer.receive(5)
            try peer.send(Array("220 hello\r\n".utf8))
            peer.finish()
        }
        let ended = try await connect([], to: listener.endpoint.port, at: "127.0.0.1")
        try plain.value()
        #expect(ended.status == 69)
        #expect(
            ended.errors.hasSuffix(
                "failed: wrong version number; the server does not speak TLS on this port, or not at once\n"
            ),
            "\(ended.errors)"
        )
        let silent = try TCPServer()
        let late = try await connect(["-w", "0.2"], to: silent.endpoint.port, at: "127.0.0.1")
        #expect(late.status == 69)
        #expect(late.errors.hasSuffix("failed: the handshake was not complete in time (-w)\n"), "\(late.errors)")
        let files = try await fixture.certificate()
        let port = try LoopbackPort.free()
        let new = try fixture.server(
            [
                "openssl", "s_server", "-tls1_3", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate, "-key",
                files.key,
            ],
            port: port
        )
        let old = try await connect(["--tls-max", "1.2"], to: port)
        #expect(old.status == 69)
        #expect(
            old.errors.hasSuffix("alert protocol_version (70); --tls-min and --tls-max choose other versions\n"),
            "\(old.errors)"
        )
        try fixture.end([new])
        let refusing = try RefusingPort()
        let refused = try await connect([], to: refusing.endpoint.port, at: "127.0.0.1")
        #expect(refused.status == 69)
        #expect(refused.errors == "weir: cannot connect to \(refusing.endpoint): connection refused (ECONNREFUSED)\n")
    }

    @Test("The flow is shown decrypted, its secrets are kept, and a reader that has gone ends it quietly")
    func shown() async throws {
        let (server, port) = try await echo()
        let keys = fixture.folder.path + "/keys"
        let options = ["--tls-upstream-ca", fixture.trust, "--tls-keylog", keys, "-C", "--show", "text", "-v"]
        let ended = try await connect(options, to: port, input: Array("hello\n".utf8))
        #expect(String(decoding: ended.output, as: UTF8.self) == "hello\r\n" && ended.status == 0)
        for wanted in [
            "connected 127.0.0.1:", "#1 tls server TLS 1.3 localhost, verified (", "#1 ▲ 7 B @0", "#1 ▼ 7 B @0",
        ] {
            #expect(ended.errors.contains(wanted), "\(wanted): \(ended.errors)")
        }
        #expect(String(decoding: try fixture.folder.read("keys"), as: UTF8.self).contains("CLIENT_TRAFFIC_SECRET_0 "))
        let program = try WeirProgram(
            ["connect", "-4", "--tls", "--tls-insecure-upstream", "localhost", "\(port)"],
            seconds: 60
        )
        program.closeOutput()
        try program.write("hello")
        let gone = try await program.finish(closesInput: false)
        #expect(gone.status == 0 && gone.errors.split(separator: "\n").count == 1, "\(gone.errors)")
        _ = try await server.stop()
    }

    @Test(
        "What makes no sense is refused",
        arguments: [
            ["--tls", "-u", "127.0.0.1", "1"], ["--tls-alpn", "h2", "127.0.0.1", "1"],
            ["--tls-keylog", "x", "127.0.0.1", "1"], ["--tls", "--tls-alpn", "h2,,", "127.0.0.1", "1"],
            ["--tls", "--tls-upstream-name", "*", "127.0.0.1", "1"], ["--tls", "--tls-min", "2", "127.0.0.1", "1"],
            ["--tls", "--tls-upstream-ca", "/no/such/file", "127.0.0.1", "1"],
        ]
    )
    func usage(arguments: [String]) async throws {
        let ended = try await WeirProgram(["connect"] + arguments, seconds: 30).finish()
        #expect(ended.status == 64 && ended.output == [] && !ended.errors.isEmpty)
    }
}
