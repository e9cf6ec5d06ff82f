import Foundation
import Glibc
import Support
import Testing
import WeirEngine

@Suite("What text2pcap reads of weir relay", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct Text2pcapTests {
    /// Lines of a dump, a packet's time, and a direction: what traffic must not be mistaken for.
    private static let lookalike = Array(
        """
        000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
        00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|
        12:31:07.104391
        0010 ff ee
        #TEXT2PCAP -d
        """.utf8
    )

    @Test(
        "Reads every payload as the dump shows it, and complains of nothing",
        .needsProgram("text2pcap"),
        arguments: [0, 100]
    )
    func payloads(limit: Int) async throws {
        let folder = try TemporaryFolder()
        let (dump, log) = (folder.path + "/dump", folder.path + "/log")
        try await record(into: dump, log, limit: limit)
        let result = try ChildProgram.run(
            "text2pcap",
            ["-T", "1,2", "-t", "%H:%M:%S.%f", dump, folder.path + "/out.pcapng"]
        )
        #expect(result.status == 0)
        #expect(unexpected(in: result.output) == [])
        let expected = try chunks(of: folder.read("log")).map { limit == 0 ? $0 : Array($0.prefix(limit)) }
        let payloads = try CaptureWalk.tcpPayloads(try folder.read("out.pcapng"))
        // A dump has at most 32,768 bytes: its offsets begin again.
        #expect(Array(payloads.joined()) == Array(expected.joined()))
        #expect(result.output.contains("Read \(payloads.count) potential packet"))
        #expect(expected.joined().count > (limit == 0 ? 4_000_000 : 4000))
        #expect(try DumpLines.areTimesAndBytes(folder.read("dump")))
    }

    /// Relays four flows side by side, one that is refused, and one that is reset.
    private func record(into dump: String, _ log: String, limit: Int) async throws {
        let servers = try WeirProgram(["echo", "tcp:0", "udp:0", "--show", "none"])
        let targets = try servers.listening(2)
        let refusing = try RefusingPort()
        let silent = try TCPServer()
        let relay = try WeirProgram(
            [
                "relay", "--show", "text2pcap", "--show-limit", "\(limit)", "--log", log, "--log-bytes",
                "tcp:0=\(targets[0])", "udp:0=\(targets[1])",
                "tcp:0=\(refusing.endpoint)", "tcp:0=\(silent.endpoint)",
            ],
            output: .file(dump),
            seconds: 60
        )
        let routes = try relay.listening(4)
        let tcp = [try TCPPeer(to: routes[0]), try TCPPeer(to: routes[0])]
        let udp = [try UDPPeer(to: routes[1]), try UDPPeer(to: routes[1])]
        var pattern = Pattern(seed: 7)
        for size in [1, 14, 99, 100, 256, 1460, 65_507, 1_048_576] {
            for peer in tcp {
                let chunk = pattern.next(size) + (size == 99 ? Self.lookalike : [])
                try peer.send(chunk)
                #expect(try peer.receive(chunk.count) == chunk)
            }
            for peer in udp where size <= 65_507 {
                let chunk = size == 99 ? Self.lookalike : pattern.next(size)
                try peer.send(chunk)
                #expect(try peer.receive().bytes == chunk)
            }
        }
        #expect(try TCPPeer(to: routes[2]).receiveToEnd().bytes == [])
        try reset(TCPPeer(to: routes[3]), silent)
        for peer in tcp { peer.finish() }
        for peer in tcp { #expect(try peer.receiveToEnd().bytes == []) }
        let ended = try await relay.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("weir: ending: ") })
    }

    /// Lets a client reset after it has got what its server sent.
    private func reset(_ client: TCPPeer, _ silent: TCPServer) throws {
        let server = try silent.accept()
        try server.send(1000, seed: 3)
        _ = try client.receive(1000)
        client.reset()
        #expect(try server.receiveToEnd().ending == .failed(ErrorNumber(ECONNRESET)))
    }

    /// Returns what text2pcap said beyond its usual summary.
    private func unexpected(in output: String) -> [Substring] {
        let usual = [
            "Input from: ", "Output to: ", "Output format: pcapng", "Generate dummy ", "Packet encapsulation: ",
            "Read ",
            "-----",
        ]
        return output.split(separator: "\n").filter { line in !usual.contains { line.hasPrefix($0) } }
    }

    /// Returns the bytes of the chunks in a log, in their order.
    private func chunks(of log: [UInt8]) throws -> [[UInt8]] {
        try LogLines(log).all("data").compactMap { object in
            (object["bytes"] as? String).flatMap { Data(base64Encoded: $0) }.map { Array($0) }
        }
    }
}
