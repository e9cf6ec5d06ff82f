import Foundation
import Support
import Testing

/// What `weir show --messages` refuses, and what it says where there is little to say; the goldens of `Captures/` have
/// the rest.
@Suite("Showing messages", .tags(.capture), .timeLimit(.minutes(1)))
struct MessagesTests {
    private static let capture =
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Captures/demo-messages.pcap")
        .standardizedFileURL
        .path

    private static func show(_ arguments: [String]) async throws -> (status: Int32?, output: String, errors: String) {
        let ended = try await WeirProgram(["show"] + arguments).finish()
        return (ended.status, String(decoding: ended.output, as: UTF8.self), ended.errors)
    }

    @Test("Lists the dissectors with their ports and fields, without a capture")
    func dissectors() async throws {
        let (status, output, _) = try await Self.show(["--dissectors"])
        #expect(status == 0)
        for text in [
            "http  ", "dns  ", "tls  ", "quic  ", "websocket  ", "redis  ", "ports 53, 5353, 5355", "http.host",
        ] {
            #expect(output.contains(text), "\(text)")
        }
    }

    @Test(
        "Refuses options that do not go together",
        arguments: [
            (["--fields"], "--fields needs --messages"), (["--messages", "--packets"], "exclude each other"),
            (["--messages", "--sort", "bytes"], "are for the flows"), (["--dissectors"], "reads no capture"),
            (["--messages", "--where", "bytes > 5"], "only when a flow has ended"),
        ]
    )
    func refusals(options: [String], words: String) async throws {
        let (status, _, errors) = try await Self.show([Self.capture] + options)
        #expect(status == 64)
        #expect(errors.contains(words))
    }

    @Test("Needs a capture")
    func missing() async throws {
        let (status, _, errors) = try await Self.show(["--messages"])
        #expect(status == 64)
        #expect(errors.contains("<file>"))
    }

    @Test("Shows one flow alone, and nothing of flows without messages")
    func flows() async throws {
        let (status, output, _) = try await Self.show([Self.capture, "--messages", "--flow", "2"])
        #expect(status == 0)
        #expect(output.split(separator: "\n").allSatisfy { $0.contains(" #2 ") })
        #expect(output.contains("http GET / www.example.com"))
        let other = try await Self.show([Self.capture, "--messages", "--flow", "99"])
        #expect(other.status == 1 && other.output == "")
    }
}
