import Foundation
import Support
import Testing
import WeirWire

/// What the tests of TLS with real peers share: a folder, certificates, programs, and a relay.
struct TLSFixture: Sendable {
    /// The outcome of a program.
    struct Outcome: Sendable {
        var status: Int32
        var text: String
        var errors: String

        /// Whether a text is on its standard output or its standard error.
        func says(_ wanted: String) -> Bool { text.contains(wanted) || errors.contains(wanted) }
    }

    /// A certificate and its key.
    struct Files: Sendable {
        var certificate: String
        var key: String
    }

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The folder of the relay's CA.
    var authority: String { folder.path + "/ca" }
    /// The certificate that clients trust.
    var trust: String { authority + "/ca.pem" }
    /// The relay's log.
    var log: String { folder.path + "/log" }

    /// Runs a program to its end, with a text as its standard input.
    func run(_ command: [String], input: String = "") async throws -> Outcome {
        let ended = try await WeirProgram(command, launcher: WeirProgram.instead("env"), seconds: 60).finish(
            sending: Array(input.utf8)
        )
        return Outcome(
            status: ended.status,
            text: String(decoding: ended.output, as: UTF8.self),
            errors: ended.errors
        )
    }

    /// Runs programs beside each other, and returns their outcomes in the same order.
    func together(_ commands: [(words: [String], input: String)]) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for (index, command) in commands.enumerated() {
                group.addTask { (index, try await run(command.words, input: command.input)) }
            }
            var outcomes: [Int: Outcome] = [:]
            for try await (index, outcome) in group { outcomes[index] = outcome }
            return commands.indices.compactMap { outcomes[$0] }
        }
    }

    /// Makes a certificate for `localhost`, signed by itself.
    func certificate(_ name: String = "server", key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        async throws -> Files
    {
        let files = Files(certificate: folder.path + "/\(name).pem", key: folder.path + "/\(name).key")
        let made = try await run(
            ["openssl", "req", "-x509", "-newkey"] + key + [
                "-nodes", "-keyout", files.key, "-out", files.certificate, "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ]
        )
        guard made.status == 0 else { throw HelperError("openssl req: \(made.errors)") }
        return files
    }

    /// Starts a server of another program; it is there once it takes a connection.
    func server(_ command: [String], port: UInt16, readied: Bool = true) throws -> WeirProgram {
        let said = folder.path + "/said-\(port)"
        let server = try WeirProgram(
            command,
            launcher: ["sh", "-c", "shift; exec \"$@\" >\(said) 2>&1", "sh"],
            seconds: 100
        )
        if readied { try wait(for: [port]) }
        return server
    }

    /// Waits until each of the ports takes a connection.
    func wait(for ports: [UInt16]) throws {
        let deadline = Deadline(seconds: 30)
        for port in ports {
            while (try? TCPPeer(to: Endpoint(address: .loopbackV4, port: port))) == nil {
                if deadline.isOver {
                    let said = (try? folder.read("said-\(port)")) ?? []
                    throw HelperError("nothing listens on \(port): \(String(decoding: said, as: UTF8.self))")
                }
                poll(nil, 0, 5)
            }
        }
    }

    /// Ends servers.
    func end(_ servers: [WeirProgram]) throws {
        for server in servers { server.send(SIGTERM) }
        for server in servers { _ = try server.waitForEnd() }
    }

    /// Starts a relay, which shows nothing, and returns its ports.
    func relay(_ routes: [String], _ options: [String] = []) async throws -> (program: WeirProgram, ports: [UInt16]) {
        // Otherwise the relay makes the CA, and says so first.
        _ = try await WeirProgram(["ca", "make", "--tls-ca", authority], seconds: 60).finish()
        let program = try WeirProgram(
            ["relay", "--show", "none", "--tls-ca", authority, "--log", log] + options + routes,
            seconds: 100
        )
        return (program, try program.listening(routes.count).map(\.port))
    }

    /// Returns the path of a program in the folder `Programs`.
    static func script(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Programs/\(name).py").path
    }
}
