import Foundation
import Support
import Testing
import WeirWire

/// What the tests of programs under `weir run` share: a folder, an echo server, the test programs, and the run itself.
struct RunFixture {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The path of the log that a run appends to.
    var log: String { folder.path + "/log" }

    /// Returns the command of a program of the folder `Programs`.
    static func script(_ name: String, _ arguments: [String]) -> [String] {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return ["python3", "-I", beside.appendingPathComponent("Programs/\(name).py").path] + arguments
    }

    /// Starts `weir echo`, and returns its ports: that of TCP, and that of UDP.
    func echo(_ host: String = "127.0.0.1", launcher: [String] = []) throws -> (WeirProgram, [Endpoint]) {
        let address = host.contains(":") ? "[\(host)]" : host
        let server = try WeirProgram(
            ["echo", "--show", "none", "tcp:\(address):0", "udp:\(address):0"],
            launcher: launcher,
            seconds: 100
        )
        return (server, try server.listening(2))
    }

    /// Runs a command under Weir, which shows nothing.
    func watch(_ options: [String], _ command: [String], launcher: [String] = []) async throws -> WeirProgram.Ended {
        try await WeirProgram(
            ["run", "--show", "none", "-o", folder.path + "/shown"] + options + ["--"] + command,
            launcher: launcher,
            seconds: 100
        ).finish()
    }

    /// Returns the log's records.
    func records() throws -> LogLines { try LogLines(try folder.read("log")) }
}

extension WeirProgram.Ended {
    /// The command's standard output.
    var text: String { String(decoding: output, as: UTF8.self) }
}
