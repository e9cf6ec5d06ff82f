import Foundation
import Support
import Testing
import WeirDissect
import WeirEngine
import WeirWire

@Suite("Programs that ask for mapped names under weir run", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct NameMapProgramTests {
    /// The name server for which the program asks; a map of destinations leads to the true one.
    private static let asked = "127.9.9.9"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func script(_ arguments: [String]) -> [String] {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return ["python3", "-I", beside.appendingPathComponent("Programs/names.py").path] + arguments
    }

    /// Runs a program under watch with a name server.
    private func run(_ options: [String], _ command: [String]) async throws -> WeirProgram.Ended {
        let server = try WeirProgram(Self.script(["serve"]), launcher: WeirProgram.instead("env"), seconds: 100)
        let port = try server.readOutput(through: "\n").dropLast()
        let route = "\(Self.asked):53=127.0.0.1:\(port)"
        let ended = try await WeirProgram(
            ["run", "-o", folder.path + "/shown", "--log", folder.path + "/log", "--log-bytes", "--map", route]
                + options + ["--"] + Self.script(command),
            seconds: 100
        ).finish()
        _ = try await server.finish()
        return ended
    }

    /// The address that an answer is to have.
    private func address(_ name: String, _ type: String) -> [String] {
        let isTest = name.hasSuffix(".test")
        let isMapped = name.lowercased() == "api.example.com" || isTest
        guard isMapped else { return type == "1" && !name.hasPrefix("no.") ? ["192.0.2.1"] : [] }
        return type == "1" ? ["127.0.0.5"] : type == "28" && !isTest ? ["::5"] : []
    }

    @Test(
        "Mapped names have their addresses, others the true ones, and the log says what the program read",
        .needsProgram("python3")
    )
    func asks() async throws {
        let names = ["api.example.com", "API.example.COM", "other.example.com", "no.such.test", "no.other", "x.y.test"]
        let maps = ["--map", "api.example.com=127.0.0.5", "--map", "*.test=127.0.0.5", "--map", "api.example.com=::5"]
        let ended = try await run(["--show", "none"] + maps, ["ask", Self.asked, "53"] + names)
        #expect(ended.status == 0, "\(ended.errors)")
        let answered = String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
        #expect(answered.count == names.count * 9)
        var read: [[UInt8]] = []
        for line in answered {
            let words = line.split(separator: " ").map(String.init)
            let bytes = try #require(BytePattern("hex:\(words[3])")).bytes
            read.append(words[2] == "stream" ? [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes : bytes)
            let found = DNSAnswers(bytes.span.bytes)
            let answers = try #require(found, "\(line)")
            let addresses = answers.addresses.map(\.description)
            #expect(answers.name == words[0] && addresses == address(words[0], words[1]), "\(line)")
            #expect(bytes[3] & 15 == (words[0] == "no.other" ? 3 : 0), "\(line)")
        }
        let lines = try LogLines(try folder.read("log")).all("data")
        let logged = lines.filter { $0["direction"] as? String == "downstream" }
        let delivered = try logged.map { line in
            try [UInt8](#require((line["bytes"] as? String).flatMap { Data(base64Encoded: $0) }))
        }
        #expect(delivered == read)
    }

    @Test("A mapped name belongs to its new address, in filters as well", .needsProgram("python3"))
    func reaches() async throws {
        let echo = try WeirProgram(["echo", "--show", "none", "tcp:127.0.0.1:0"], seconds: 100)
        let endpoint = try echo.listening(1)[0]
        let ended = try await run(
            ["--show", "none", "--map", "api.example.com=127.0.0.1", "--only", "udp:53", "--only", "api.example.com"],
            ["reach", Self.asked, "53", "api.example.com", "\(endpoint.port)"]
        )
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(String(decoding: ended.output, as: UTF8.self) == "127.0.0.1 hello\n")
        let opened = try LogLines(try folder.read("log")).all("open").map { $0["listener"] as? String }
        #expect(opened == ["\(Self.asked):53", "\(endpoint)"])
        _ = try await echo.stop()
    }
}
