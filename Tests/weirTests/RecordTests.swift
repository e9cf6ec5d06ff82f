import Foundation
import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

/// Real flows, recorded; what tshark 4.0.17 says of each is what the synthesised packets were made for.
@Suite(
    "What tshark reads of weir relay --record",
    .serialized,
    .tags(.network, .capture, .slow),
    .timeLimit(.minutes(4))
)
struct RecordTests {
    private static let reset: Set = ["Connection reset (RST)"]

    @Test("An echo", .needsProgram("tshark"), arguments: [1, 2])
    func echo(threads: Int) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let (near, far) = (try #require(client.local), try #require(peer.remote))
        let echoing = try Background { try peer.echo() }
        let bytes = Pattern.bytes(200_000)
        let sending = try Background {
            try client.send(bytes)
            client.finish()
        }
        #expect(try client.receiveToEnd().bytes == bytes)
        try sending.value()
        try echoing.value()
        let capture = try await relay.finish()
        try relay.expectStreams(up: bytes, down: bytes)
        try relay.expectComplete()
        let path = "flow 1 client \(near) listener \(relay.endpoint) "
        let comments = capture.packets.flatMap(\.comments)
        #expect(comments.count == 2 && comments[0] == comments[1] && comments[0].hasPrefix(path))
        // The process is there if it was found within the time that a record waits for it.
        let (ends, process) = ("egress \(far) server \(server.endpoint)", "\(getpid())")
        let rest = comments[0].dropFirst(path.count)
        #expect(rest == ends || rest.hasPrefix(ends + "; process ") && rest.contains(process), "\(comments[0])")
    }

    @Test("A half-close by the client, and one by the server", .needsProgram("tshark"), arguments: [1, 2])
    func halfCloses(threads: Int) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        for isClient in [true, false] {
            let client = try TCPPeer(to: relay.endpoint)
            let peer = try server.accept()
            let (first, second) = isClient ? (client, peer) : (peer, client)
            try first.send("the first to end")
            first.finish()
            #expect(try second.receiveToEnd().bytes == Array("the first to end".utf8))
            try second.send("answers all the same")
            second.finish()
            #expect(try first.receiveToEnd().bytes == Array("answers all the same".utf8))
        }
        _ = try await relay.finish()
        let (first, second) = (Array("the first to end".utf8), Array("answers all the same".utf8))
        try relay.expectStreams(from: 0, up: first, down: second)
        try relay.expectStreams(from: 2, up: second, down: first)
        try relay.expectComplete()
    }

    @Test("A reset by the client, and one by the server", .needsProgram("tshark"), arguments: [1, 2])
    func resets(threads: Int) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        for isClient in [true, false] {
            let client = try TCPPeer(to: relay.endpoint)
            let peer = try server.accept()
            try client.send("question")
            #expect(try peer.receive(8) == Array("question".utf8))
            try peer.send("answer")
            #expect(try client.receive(6) == Array("answer".utf8))
            let (resetting, other) = isClient ? (client, peer) : (peer, client)
            try resetting.resetAfterDelivery()
            #expect(try other.receiveToEnd().ending == .failed(.connectionReset))
        }
        let capture = try await relay.finish(warning: Self.reset)
        for number in [0, 2] {
            try relay.expectStreams(from: number, up: Array("question".utf8), down: Array("answer".utf8))
        }
        let resets = capture.lines.filter { $0.contains("RST") }
        #expect(
            resets == [
                "client up RST,ACK 9:7", "server up RST,ACK 9:7", "server down RST,ACK 7:9", "client down RST,ACK 7:9",
            ]
        )
        #expect(try Tshark.complaints(relay.path).values.reduce(0, +) == 4)
    }

    @Test("A server that refuses", .needsProgram("tshark"), arguments: [1, 2])
    func refused(threads: Int) async throws {
        let refusing = try RefusingPort()
        let relay = try RecordedRelay("tcp:0=\(refusing.endpoint)", threads: threads)
        let client = try TCPPeer(to: relay.endpoint)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        let capture = try await relay.finish(warning: Self.reset)
        #expect(
            capture.lines == [
                "client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1",
                "server up SYN 0", "server down RST,ACK 0:1", "client down RST,ACK 1:1",
            ]
        )
    }

    @Test("A hundred flows at once", .needsProgram("tshark"), arguments: [1, 2])
    func hundred(threads: Int) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        let flows = try (0..<100).map { number in
            let client = try TCPPeer(to: relay.endpoint)
            let peer = try server.accept()
            // Connections are accepted in any order: each flow says which one it is.
            try client.send("\(number);")
            return (client, peer, try #require(client.local), try #require(peer.remote))
        }
        for (_, peer, _, _) in flows {
            var text: [UInt8] = []
            while text.last != UInt8(ascii: ";") { text += try peer.receive(1) }
            try peer.send(text + Pattern.bytes(2000))
        }
        for (number, (client, _, _, _)) in flows.enumerated() {
            let text = Array("\(number);".utf8)
            #expect(try client.receive(text.count + 2000) == text + Pattern.bytes(2000))
            client.finish()
        }
        for (_, peer, _, _) in flows {
            #expect(try peer.receiveToEnd().bytes == [])
            peer.finish()
        }
        for (client, _, _, _) in flows { #expect(try client.receiveToEnd().bytes == []) }
        let capture = try await relay.finish()
        try relay.expectComplete()
        var streams: [String: [UInt8]] = [:]
        for packet in capture.packets {
            streams["\(packet.leg) \(packet.source) \(packet.destination)", default: []] += packet.payload
        }
        for (number, (_, _, near, far)) in flows.enumerated() {
            let text = Array("\(number);".utf8)
            #expect(streams["client \(near) \(relay.endpoint)"] == text)
            #expect(streams["client \(relay.endpoint) \(near)"] == text + Pattern.bytes(2000))
            #expect(streams.contains { $0.key.hasPrefix("server") && $0.value == text })
            #expect(streams["server \(server.endpoint) \(far)"]?.count ?? 0 > 2000)
        }
        #expect(Set(capture.packets.flatMap(\.comments)).count == 100)
    }

    @Test("64 MiB one way", .needsProgram("tshark"), arguments: [1, 2])
    func big(threads: Int) async throws {
        let size = 64 << 20
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let sending = try Background { try client.send(size, seed: 1, finishing: true) }
        #expect(try peer.receiveToEnd(seed: 1) == .init(size))
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        try sending.value()
        let capture = try await relay.finish()
        for (number, leg) in ["client", "server"].enumerated() {
            var pattern = Pattern(seed: 1)
            var count = 0
            for packet in capture.packets where packet.leg == leg {
                let difference = packet.payload.withUnsafeBytes { pattern.firstDifference(in: $0) }
                #expect(difference == nil)
                count += packet.payload.count
            }
            #expect(count == size)
            let file = relay.folder.path + "/followed"
            try Tshark.follow(relay.path, number, into: file)
            let followed = try Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped)
            var again = Pattern(seed: 1)
            #expect(followed.count == size)
            #expect(followed.withUnsafeBytes { again.firstDifference(in: $0) } == nil)
        }
        try relay.expectComplete()
    }

    @Test("One byte at a time", .needsProgram("tshark"), arguments: [1, 2])
    func bytes(threads: Int) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, threads: threads)
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let bytes = Pattern.bytes(300)
        for byte in bytes {
            try client.send([byte])
            #expect(try peer.receive(1) == [byte])
        }
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        let capture = try await relay.finish()
        #expect(capture.packets.filter { !$0.payload.isEmpty }.count == 600)
        try relay.expectStreams(up: bytes, down: [])
        try relay.expectComplete()
    }
}
