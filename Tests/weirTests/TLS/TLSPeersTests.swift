import Foundation
import Support
import Testing
import WeirWire

/// `weir relay tls:...` and `weir ca` with real clients and servers.
@Suite("TLS with real peers", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TLSPeersTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func run(_ command: [String], input: String = "") async throws -> WeirProgram.Ended {
        try await WeirProgram(command, launcher: WeirProgram.instead("env"), seconds: 60).finish(
            sending: Array(input.utf8)
        )
    }

    /// Makes a certificate for `localhost`, signed by itself, and returns the paths of it and of its key.
    private func certificate() async throws -> (certificate: String, key: String) {
        let (certificate, key) = (folder.path + "/server.pem", folder.path + "/server.key")
        let made = try await run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        #expect(made.status == 0, "\(made.errors)")
        return (certificate, key)
    }

    private var authority: String { folder.path + "/ca" }

    private func relay(_ route: String, _ options: [String] = []) async throws -> (program: WeirProgram, port: UInt16) {
        // Otherwise the relay makes the CA, and says so first.
        _ = try await WeirProgram(["ca", "make", "--tls-ca", authority], seconds: 60).finish()
        let program = try WeirProgram(
            ["relay", "--show", "none", "--tls-ca", authority, "--log", folder.path + "/log"] + options + [route],
            seconds: 60
        )
        return (program, try program.listening()[0].port)
    }

    @Test(
        "The CA is made, shown, used by other tools, and removed",
        .needsProgram("openssl")
    )
    func authorityCommands() async throws {
        func weir(_ words: [String]) async throws -> WeirProgram.Ended {
            try await WeirProgram(["ca"] + words + ["--tls-ca", authority], seconds: 60).finish()
        }
        let none = try await weir(["show"])
        #expect(none.status == 66 && none.errors.contains("make one with: weir ca make"))
        let made = try await weir(["make", "--only", "test,10.0.0.0/8"])
        #expect(
            made.status == 0 && made.text.contains("signs        only test, 10.0.0.0/255.0.0.0\n"),
            "\(made.errors)"
        )
        #expect(try await weir([]).text == made.text)
        #expect(try await weir(["make"]).status == 73)
        let path = try await weir(["path"]).text.trimmingCharacters(in: .newlines)
        #expect(path == authority + "/ca.pem")
        let strict = try await run(["openssl", "verify", "-x509_strict", "-CAfile", path, path])
        #expect(strict.status == 0, "\(strict.errors)")
        let bundle = try await weir(["bundle"])
        let own = String(decoding: try folder.read("ca/ca.pem"), as: UTF8.self)
        #expect(bundle.status == 0 && bundle.text.hasSuffix(own) && bundle.text != own)
        #expect(try await weir(["trust", "--all"]).text.contains("curl --cacert \(path)\n"))
        for wrong in ["", "a b", "10.0.0.0/33", "*.x", "a,,b"] {
            #expect(try await weir(["make", "--only", wrong]).status == 64, "\(wrong)")
        }
        #expect(try await weir(["remove"]).status == 0)
        #expect(try await weir(["remove"]).status == 66)
    }

    @Test(
        "curl and an OpenSSL server talk through the relay, which shows the messages, in each version",
        .needsProgram("curl"),
        .needsProgram("openssl"),
        arguments: ["-tls1_2", "-tls1_3"]
    )
    func curl(version: String) async throws {
        let (certificate, key) = try await certificate()
        let port = try LoopbackPort.free()
        let server = try WeirProgram(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www",
                version,
            ],
            launcher: WeirProgram.instead("env"),
            seconds: 60
        )
        #expect(try server.readOutput(through: "ACCEPT\n").hasSuffix("ACCEPT\n"))
        let keys = folder.path + "/keys"
        let (program, relayed) = try await relay(
            "tls:0=localhost:\(port)",
            ["--tls-upstream-ca", certificate, "--tls-keylog", keys, "--record", folder.path + "/capture.pcapng"]
        )
        let trust = authority + "/ca.pem"
        let answer = try await run([
            "curl", "-sS", "--noproxy", "*", "--cacert", trust, "https://localhost:\(relayed)/path",
        ])
        #expect(answer.status == 0 && answer.text.contains("s_server"), "\(answer.errors)")
        let distrust = try await run(["curl", "-sS", "--noproxy", "*", "https://localhost:\(relayed)/"])
        #expect(distrust.status == 60)
        let ended = try await program.stop()
        #expect(ended.status == 0, "\(ended.errors)")
        server.send(SIGTERM)
        _ = try await server.finish()
        let lines = try LogLines(try folder.read("log"))
        let secured = try #require(lines.all("tls").first)
        let wanted = version == "-tls1_2" ? "TLS 1.2" : "TLS 1.3"
        #expect((secured["server_tls"] as? [String: Any])?["version"] as? String == wanted)
        #expect((secured["certificate"] as? [String: Any])?["verified"] as? Bool == true)
        #expect(secured["sni"] as? String == "localhost")
        let failed = try #require(lines.all("tls_failed").first)
        #expect(failed["leg"] as? String == "client" && failed["reason"] as? String == "alert unknown_ca (48)")
        #expect(lines.all("close").compactMap { $0["reason"] as? String } == ["finished", "tls failed"])
        let messages = try await WeirProgram(["show", folder.path + "/capture.pcapng", "--messages"], seconds: 60)
            .finish()
        #expect(messages.text.contains("GET /path") && messages.text.contains("200"), "\(messages.text)")
        #expect(try folder.read("keys").count > 100)
    }

    @Test(
        "A server that cannot be verified is refused, and is not with --tls-insecure-upstream, which says so",
        .needsProgram("curl"),
        .needsProgram("openssl")
    )
    func unverified() async throws {
        let (certificate, key) = try await certificate()
        let port = try LoopbackPort.free()
        let server = try WeirProgram(
            ["openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www"],
            launcher: WeirProgram.instead("env"),
            seconds: 60
        )
        #expect(try server.readOutput(through: "ACCEPT\n").hasSuffix("ACCEPT\n"))
        for (options, status) in [([], 35), (["--tls-insecure-upstream"], 0)] as [([String], Int32)] {
            try? FileManager.default.removeItem(atPath: folder.path + "/log")
            let (program, relayed) = try await relay("tls:0=localhost:\(port)", options)
            let answer = try await run([
                "curl", "-sS", "--noproxy", "*", "--cacert", authority + "/ca.pem", "https://localhost:\(relayed)/",
            ])
            #expect(answer.status == status, "\(answer.errors)")
            _ = try await program.stop()
            let lines = try LogLines(try folder.read("log"))
            let verified = lines.all("tls").compactMap { ($0["certificate"] as? [String: Any])?["verified"] as? Bool }
            #expect(verified == (status == 0 ? [false] : []))
            #expect(lines.all("tls_failed").compactMap { $0["leg"] as? String } == (status == 0 ? [] : ["server"]))
        }
        server.send(SIGTERM)
        _ = try await server.finish()
    }
}
