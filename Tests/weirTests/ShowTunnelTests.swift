import Support
import Testing
import WeirWire

/// What the views show of a datagram that is within another one; the packets were made for these tests.
@Suite("weir show and UDP within UDP", .tags(.capture), .timeLimit(.minutes(1)))
struct ShowTunnelTests {
    /// A tunnel's port, and the bytes between its UDP header and the inner Internet Protocol's.
    struct Tunnel: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var port: UInt16
        var header: [UInt8]

        static let frame: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]
        /// GTP-U says how many bytes follow its header: 20 + 8 + 31.
        static let all = [
            Self(testDescription: "VXLAN", port: 4789, header: [8, 0, 0, 0, 0, 0, 9, 0] + frame),
            Self(testDescription: "Geneve", port: 6081, header: [0, 0, 0x65, 0x58, 0, 0, 9, 0] + frame),
            Self(testDescription: "GTP-U", port: 2152, header: [0x30, 0xff, 0, 59, 0, 0, 0, 9]),
        ]
    }

    /// A query and its answer, which has the bit for answers.
    private static let question = Array("\0\u{7}\u{1}\0\0\u{1}\0\0\0\0\0\0\u{5}inner\u{7}example\0\0\u{1}\0\u{1}".utf8)
    private static let answer = [0, 7, 0x81, 0x80] + question[4...]

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static func pair(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    private static func ip(_ ends: ([UInt8], [UInt8]), _ ports: (Int, Int), _ payload: [UInt8]) -> [UInt8] {
        let udp = pair(ports.0) + pair(ports.1) + pair(payload.count + 8) + [0, 0] + payload
        return [0x45, 0] + pair(udp.count + 20) + [0, 1, 0, 0, 64, 17, 0, 0] + ends.0 + ends.1 + udp
    }

    /// Writes a plain datagram on port 9999, a query and its answer within a tunnel, and another plain one.
    private func capture(_ tunnel: Tunnel, cutting cut: Int = 0) throws -> String {
        let (client, server, port): ([UInt8], [UInt8], Int) = ([172, 16, 0, 1], [172, 16, 0, 53], Int(tunnel.port))
        let (left, right): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
        let plain = Self.ip((left, right), (9998, 9999), Array("plain".utf8))
        let query = tunnel.header + Self.ip((client, server), (33333, 53), Self.question)
        let answer = tunnel.header + Self.ip((server, client), (53, 33333), Self.answer)
        let packets = [
            plain, Self.ip((left, right), (50001, port), query), Self.ip((right, left), (50002, port), answer), plain,
        ]
        func word(_ number: Int) -> [UInt8] { (Self.pair(number >> 16) + Self.pair(number & 0xffff)).reversed() }
        var file = word(0xa1b2_c3d4) + [2, 0, 4, 0] + word(0) + word(0) + word(65535) + word(1)
        for packet in packets {
            let frame = Tunnel.frame + packet
            let kept = packet.count > 80 ? frame.dropLast(cut) : frame[...]
            file += word(1_700_000_000) + word(0) + word(kept.count) + word(frame.count) + kept
        }
        return try folder.file("tunnel.pcap", file)
    }

    private func show(_ tunnel: Tunnel, _ options: [String], cutting cut: Int = 0) async throws -> [String] {
        let path = try capture(tunnel, cutting: cut)
        let ended = try await WeirProgram(["show", path, "--color", "never"] + options).finish()
        #expect(ended.status == 0 && ended.errors == "")
        return String(decoding: ended.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("A query finds the inner flow, its packets and its messages, and nothing else", arguments: Tunnel.all)
    func query(_ tunnel: Tunnel) async throws {
        for condition in ["port 53", "server port 53 and udp", "host 172.16.0.0/16", "flow 3"] {
            let packets = try await show(tunnel, ["--packets", "--where", condition])
            #expect(packets.count == 2 && packets[0].hasPrefix("    2 "), "\(condition): \(packets)")
            let messages = try await show(tunnel, ["--messages", "--where", condition])
            #expect(messages.count == 2 && messages.allSatisfy { $0.contains(" dns ") }, "\(condition): \(messages)")
            let flows = try await show(tunnel, ["--json", "--where", condition])
            #expect(flows.count == 1 && flows[0].contains("\"protocol\":\"dns\""), "\(condition): \(flows)")
        }
        // The tunnel's own flows have the same packets, and a query for nothing finds nothing.
        #expect(try await show(tunnel, ["--packets", "--where", "port \(tunnel.port)"]).count == 2)
        #expect(try await show(tunnel, ["--packets", "--where", "port 54"]).isEmpty)
        #expect(try await show(tunnel, ["--messages", "--flow", "3"]).count == 2)
    }

    @Test("An inner flow is followed as any other", arguments: Tunnel.all)
    func follow(_ tunnel: Tunnel) async throws {
        let lines = try await show(tunnel, ["--follow", "3", "--as", "hex"])
        #expect(lines.filter { $0.contains(" #3 up    31 bytes @0") }.count == 1, "\(lines)")
        #expect(lines.filter { $0.contains(" #3 down  31 bytes @0") }.count == 1)
        let path = try capture(tunnel)
        let raw = try await WeirProgram(["show", path, "--follow", "3", "--only", "down", "--as", "raw"]).finish()
        #expect(raw.output == Self.answer)
        // The tunnel's flow has the whole payload, and the inner flow's header in it.
        let outer = try await WeirProgram(["show", path, "--follow", "2", "--as", "raw"]).finish()
        #expect(outer.output.starts(with: tunnel.header) && outer.output.count == tunnel.header.count + 59)
    }

    @Test("What the capture cut off an inner datagram is said", arguments: Tunnel.all)
    func cut(_ tunnel: Tunnel) async throws {
        let lines = try await show(tunnel, ["--follow", "3", "--as", "text"], cutting: 4)
        #expect(lines.contains { $0.contains("27 bytes @0") })
        #expect(lines.contains { $0.contains("4 bytes @27  cut off by the capture's limit on packets") }, "\(lines)")
    }
}
