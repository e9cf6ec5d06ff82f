import CWeir
import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

/// Where no output wants chunks, they take a shorter way: what holds on the long one must hold here.
@Suite("TCP relay whose chunks nobody watches", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierPassTests {
    @Test("Carries 32 MiB both ways at once", .timeLimit(.minutes(2)), arguments: [1, 2])
    func bulk(threads: Int) async throws {
        let size = TestSize.bytes(32 << 20)
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = threads }) { relay, collector in
            let client = try await runThread { try TCPPeer(to: relay.endpoint) }
            let peer = try await runThread { try server.accept() }
            async let up: Void = runThread { try client.send(size, seed: 1, finishing: true) }
            async let down: Void = runThread { try peer.send(size, seed: 2, finishing: true) }
            async let upReceived = runThread { try peer.receiveToEnd(seed: 1) }
            async let downReceived = runThread { try client.receiveToEnd(seed: 2) }
            _ = try await (up, down)
            #expect(try await upReceived == .init(size))
            #expect(try await downReceived == .init(size))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
            #expect(closed.upstream.bytes == UInt64(size) && closed.downstream.bytes == UInt64(size))
        }
    }

    @Test("An answer leaves together with the end behind it, in one packet")
    func answerWithItsEnd() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows) { relay, collector in
            for _ in 0..<20 {
                let (answer, segments) = try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    let peer = try server.accept()
                    try client.send("question")
                    _ = try peer.receive(8)
                    let before = client.segmentsReceived
                    // The kernel holds the answer back until the end: both reach the relay at once.
                    try peer.send(Array("answer".utf8), flags: Int32(MSG_MORE))
                    peer.finish()
                    let answer = try client.receiveToEnd()
                    let segments = client.segmentsReceived - before
                    client.finish()
                    return (answer, segments)
                }
                #expect(answer == (Array("answer".utf8), .end))
                #expect(segments == 1)
            }
            let closes = try await collector.closes(20)
            #expect(closes.allSatisfy { $0.reason == .finished && $0.downstream.bytes == 6 })
        }
    }

    @Test("What waits for an end is delivered before a reset that comes in its place")
    func answerBeforeReset() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows) { relay, collector in
            let received = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try peer.send("answer")
                peer.finish()
                try peer.resetAfterDelivery()
                return try client.receiveToEnd().bytes
            }
            #expect(received == Array("answer".utf8))
            #expect(try await collector.closes()[0].downstream.bytes == 6)
        }
    }

    @Test("A client that speaks first reaches its server with its first bytes", arguments: [1, 2])
    func clientFirst(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = threads }) { relay, collector in
            for number in 0..<50 {
                let question = try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send("question \(number)")
                    let peer = try server.accept()
                    client.finish()
                    peer.finish()
                    return try peer.receiveToEnd()
                }
                #expect(question == (Array("question \(number)".utf8), .end))
            }
            #expect(try await collector.closes(50).allSatisfy { $0.reason == .finished })
        }
    }

    @Test("Keeps urgent bytes in their place in the stream")
    func urgent() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows) { relay, _ in
            let received = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                for number in 0..<50 {
                    try client.send("<\(number)")
                    try client.send(Array("!".utf8), flags: Int32(MSG_OOB))
                    try client.send(">")
                }
                client.finish()
                peer.finish()
                return try peer.receiveToEnd()
            }
            #expect(String(decoding: received.bytes, as: UTF8.self) == (0..<50).map { "<\($0)!>" }.joined())
        }
    }
}
