import Foundation
import Support
import Testing
import WeirWire

/// Certificates of clients, and flows that are not decrypted, with real peers.
@Suite("TLS: certificates of clients, and pinning", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSChoicesTests {
    private let fixture: TLSFixture

    init() throws { fixture = try TLSFixture() }

    private func client(_ port: UInt16, _ options: [String] = []) -> (words: [String], input: String) {
        let words = ["openssl", "s_client", "-quiet", "-ign_eof", "-connect", "localhost:\(port)", "-CAfile"]
        return (words + [fixture.trust, "-verify_return_error"] + options, "GET / HTTP/1.0\r\n\r\n")
    }

    private func end(_ relay: WeirProgram) async throws -> LogLines {
        #expect(try await relay.stop().status == 0)
        return try LogLines(try fixture.folder.read("log"))
    }

    @Test(
        "A server that wants a client's certificate gets the user's, or the client's made anew; without one it refuses",
        .needsProgram("openssl"),
        arguments: ["-tls1_2", "-tls1_3"]
    )
    func clientCertificates(version: String) async throws {
        let files = try await fixture.certificate()
        let alice = try await fixture.certificate("alice")
        let both = try fixture.folder.file(
            "alice-both.pem",
            try fixture.folder.read("alice.pem") + fixture.folder.read("alice.key")
        )
        // The server knows the relay's CA and the user's certificate.
        _ = try await WeirProgram(["ca", "make", "--tls-ca", fixture.authority], seconds: 60).finish()
        let known = try fixture.folder.file(
            "known.pem",
            try fixture.folder.read("ca/ca.pem") + fixture.folder.read("alice.pem")
        )
        let port = try LoopbackPort.free()
        let server = try fixture.server(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate, "-key", files.key,
                "-www", "-Verify", "1", "-verify_return_error", "-CAfile", known, version,
            ],
            port: port
        )
        let trust = ["--tls-upstream-ca", files.certificate]
        let route = "tls:0=localhost:\(port)"
        let (reissuing, ports) = try await fixture.relay([route, route], trust)
        let own = ["-cert", alice.certificate, "-key", alice.key]
        let (with, without) = (client(ports[0], own), client(ports[1]))
        let outcomes = try await fixture.together([with, without])
        #expect(outcomes[0].text.contains("HTTP/1.0 200 ok"), "\(outcomes[0])")
        // The page shows the certificate that the server has got.
        #expect(
            outcomes[0].text.contains("Issuer: CN=Weir CA ") && outcomes[0].text.contains("Subject: CN=localhost")
        )
        #expect(!outcomes[1].text.contains("HTTP/1.0 200 ok"))
        var lines = try await end(reissuing)
        let records = lines.all("tls").compactMap { $0["client_certificate"] as? [String: Any] }
        let origins = records.compactMap { $0["origin"] as? String }
        #expect(origins.contains("reissued") && records.contains { $0["subject"] as? String == "CN=localhost" })
        let failures = lines.all("tls_failed")
        #expect(failures.map { $0["leg"] as? String } == ["server"])
        let alert = version == "-tls1_2" ? "alert handshake_failure (40)" : "alert certificate_required (116)"
        #expect(failures.map { $0["reason"] as? String } == [alert])
        if version == "-tls1_3" {
            #expect((failures.first?["advice"] as? String)?.contains("--tls-client-cert") == true)
        }
        try FileManager.default.removeItem(atPath: fixture.log)
        let (giving, others) = try await fixture.relay([route], trust + ["--tls-client-cert", both])
        let plain = client(others[0])
        let given = try await fixture.run(plain.words, input: plain.input)
        #expect(given.text.contains("HTTP/1.0 200 ok") && given.text.contains("Issuer: CN=localhost"), "\(given)")
        lines = try await end(giving)
        try fixture.end([server])
        #expect((lines.all("tls").first?["client_certificate"] as? [String: Any])?["origin"] as? String == "file")
    }

    @Test(
        "A client that pins a certificate is known, and passed through if that is wanted; so is what is excepted",
        .needsProgram("openssl"),
        .needsProgram("curl")
    )
    func pinning() async throws {
        let files = try await fixture.certificate()
        let port = try LoopbackPort.free()
        let server = try fixture.server(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate, "-key", files.key,
                "-www",
            ],
            port: port
        )
        let route = "tls:0=localhost:\(port)"
        let trust = ["--tls-upstream-ca", files.certificate]
        let (relay, ports) = try await fixture.relay([route], trust + ["--tls-on-pin", "pass"])
        func curl(_ port: UInt16, _ options: [String]) async throws -> TLSFixture.Outcome {
            try await fixture.run(["curl", "-sS", "--noproxy", "*"] + options + ["https://localhost:\(port)/"])
        }
        let printed = try await fixture.run(["openssl", "x509", "-in", files.certificate, "-pubkey", "-noout"])
        let key = try fixture.folder.file("pinned.pem", Array(printed.text.utf8))
        let pinned = ["--pinnedpubkey", key]
        // It trusts the CA, and pins the server's key: once its handshake is complete, it ends without a byte.
        #expect(try await curl(ports[0], pinned + ["--cacert", fixture.trust]).status == 90)
        #expect(try await curl(ports[0], ["--cacert", files.certificate]).status == 60)
        let passed = try await curl(ports[0], pinned + ["--cacert", files.certificate])
        #expect(passed.status == 0 && passed.text.contains("s_server"), "\(passed)")
        var lines = try await end(relay)
        #expect(
            lines.all("tls_unused").compactMap { $0["advice"] as? String }.allSatisfy {
                $0.contains("--tls-on-pin pass")
            }
        )
        #expect(lines.all("tls_unused").count == 1 && lines.all("tls_failed").count == 1)
        #expect(lines.all("tls_bypassed").map { $0["reason"] as? String } == ["pinned"])
        try FileManager.default.removeItem(atPath: fixture.log)
        let (excepting, others) = try await fixture.relay([route], trust + ["--tls-except", "localhost"])
        let excepted = try await curl(others[0], pinned + ["--cacert", files.certificate])
        #expect(excepted.status == 0 && excepted.text.contains("s_server"), "\(excepted)")
        lines = try await end(excepting)
        try fixture.end([server])
        #expect(lines.all("tls_bypassed").map { $0["reason"] as? String } == ["excepted"])
    }
}
