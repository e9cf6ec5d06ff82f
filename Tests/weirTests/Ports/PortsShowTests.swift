import Support
import Testing

@Suite("What weir ports shows", .timeLimit(.minutes(1)))
struct PortsShowTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func ports(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        let ended = try await WeirProgram(["ports"] + arguments).finish()
        return (ended.status, String(decoding: ended.output, as: UTF8.self), ended.errors)
    }

    /// Makes a capture with the first segment of a flow of each of so many clients.
    private func capture(clients count: Int) throws -> (path: String, clients: [String]) {
        var (capture, clients) = (MadeCapture(), [String]())
        for number in 0..<count {
            let address: [UInt8] = [10, 1, UInt8(number / 250), UInt8(number % 250)]
            capture.tcp((20_000, 80), from: address, flags: 2, sequence: 1, at: number)
            clients.append(address.map(String.init).joined(separator: "."))
        }
        return (try folder.file("clients", capture.bytes), clients)
    }

    @Test(
        "Reports come in the order of the clients' first flows, also after the first 1024",
        arguments: [2, 1023, 1024, 1025, 2050]
    )
    func order(count: Int) async throws {
        let (path, clients) = try capture(clients: count)
        let ended = try await ports(["--json", path])
        #expect(ended.status == 0 && ended.errors == "")
        let found = try LogLines(Array(ended.output.utf8)).objects.map { $0["client"] as? String ?? "none" }
        #expect(found == clients)
    }

    @Test("Text has colours where they are asked for, and JSON is where it is asked for")
    func forms() async throws {
        let (path, _) = try capture(clients: 1)
        let (plain, never) = (try await ports([path]), try await ports(["--color", "never", path]))
        #expect(plain.output == never.output && !plain.output.contains("\u{1B}[") && plain.output.contains("too-few"))
        #expect(try await ports(["--color", "always", path]).output.contains("\u{1B}["))
        let json = try await ports(["--json", path]).output
        #expect(json.hasPrefix("{") && json.hasSuffix("}\n") && json.split(separator: "\n").count == 1)
    }

    @Test("A capture without flows has no choice of a port, and without a file there is no report")
    func nothing() async throws {
        let path = try folder.file("empty", MadeCapture().bytes)
        let text = try await ports([path])
        #expect(text.status == 0 && text.output == "no choice of an ephemeral port was found\n" && text.errors == "")
        let json = try await ports(["--json", path])
        #expect(json.status == 0 && json.output == "" && json.errors == "")
        let missing = try await ports([folder.path + "/none"])
        #expect(missing.status == 66 && missing.output == "" && missing.errors.split(separator: "\n").count == 1)
    }
}
