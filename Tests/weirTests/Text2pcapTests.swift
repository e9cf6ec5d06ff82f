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
        12:31:07.104391 #1 up    (14 bytes) @0
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
        let dump = folder.path + "/dump"
        let streams = try await record(into: dump, limit: limit)
        let result = try ChildProgram.run(
            "text2pcap",
            ["-T", "1,2", "-t", "%H:%M:%S.%f", dump, folder.path + "/out.pcapng"]
        )
        #expect(result.status == 0)
        #expect(unexpected(in: result.output) == [])
        let text = String(decoding: try folder.read("dump"), as: UTF8.self)
        let expected = shown(in: text, of: streams, limit: limit)
        let payloads = try CaptureWalk.tcpPayloads(try folder.read("out.pcapng"))
        #expect(result.output.contains("Read \(payloads.count) potential packet"))
        #expect(Array(payloads.joined()) == expected)
        #expect(expected.count > (limit == 0 ? 4_000_000 : 4000))
        for line in [" refused ", ", client reset", ", finished", "total: "] { #expect(text.contains(line), "\(line)") }
    }

    /// Relays four flows side by side, one that is refused, and one that is reset; returns each flow's stream.
    private func record(into dump: String, limit: Int) async throws -> [Int: [UInt8]] {
        let servers = try WeirProgram(["echo", "tcp:0", "udp:0", "--show", "none"])
        let targets = try servers.listening(2)
        let refusing = try RefusingPort()
        let silent = try TCPServer()
        let relay = try WeirProgram(
            [
                "relay", "--show", "hex", "--show-limit", "\(limit)", "tcp:0=\(targets[0])", "udp:0=\(targets[1])",
                "tcp:0=\(refusing.endpoint)", "tcp:0=\(silent.endpoint)",
            ],
            output: .file(dump),
            seconds: 60
        )
        let routes = try relay.listening(4)
        let tcp = [try TCPPeer(to: routes[0]), try TCPPeer(to: routes[0])]
        let udp = [try UDPPeer(to: routes[1]), try UDPPeer(to: routes[1])]
        var streams: [Int: [UInt8]] = [:]
        var pattern = Pattern(seed: 7)
        for size in [1, 14, 99, 100, 256, 1460, 65_507, 1_048_576] {
            for (index, peer) in tcp.enumerated() {
                let chunk = pattern.next(size) + (size == 99 ? Self.lookalike : [])
                try peer.send(chunk)
                #expect(try peer.receive(chunk.count) == chunk)
                // The first bytes of each one come back before the next one sends: the flows are numbered in this order.
                streams[1 + index, default: []] += chunk
            }
            for (index, peer) in udp.enumerated() where size <= 65_507 {
                let chunk = size == 99 ? Self.lookalike : pattern.next(size)
                try peer.send(chunk)
                #expect(try peer.receive().bytes == chunk)
                streams[3 + index, default: []] += chunk
            }
        }
        #expect(try TCPPeer(to: routes[2]).receiveToEnd().bytes == [])
        try reset(TCPPeer(to: routes[3]), silent)
        for peer in tcp { peer.finish() }
        for peer in tcp { #expect(try peer.receiveToEnd().bytes == []) }
        let ended = try await relay.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("weir: ending: ") })
        return streams
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

    /// Puts together what the lines of the chunks say is shown: bytes of the flows' streams.
    private func shown(in text: String, of streams: [Int: [UInt8]], limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var silent = Pattern(seed: 3)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard line.dropFirst(2).first == ":", words.count >= 6, ["up", "down"].contains(words[2]),
                words[3].hasPrefix("("), let flow = Int(words[1].dropFirst()), let count = Int(words[3].dropFirst()),
                let offset = Int(words[5].dropFirst())
            else { continue }
            let part = limit == 0 ? count : min(count, limit)
            if let stream = streams[flow] {
                bytes += stream[offset..<(offset + part)]
            } else {
                bytes += silent.next(count).prefix(part)
            }
        }
        return bytes
    }
}
