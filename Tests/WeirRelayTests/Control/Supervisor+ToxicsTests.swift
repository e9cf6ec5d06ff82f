import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("Toxics on real sockets", .tags(.network), .timeLimit(.minutes(2)))
struct SupervisorToxicsTests {
    static func toxic(
        _ type: String,
        _ direction: Direction = .upstream,
        _ attributes: [String: ToxicValue] = [:]
    ) -> ToxicConfiguration {
        ToxicConfiguration(type, direction, attributes: attributes)
    }

    /// Lists toxics that lose nothing, with settings under which a test is quick.
    static let lossless: [ToxicConfiguration] = Direction.allCases.flatMap { direction in
        [
            toxic("latency", direction, ["latency": .int(20), "jitter": .int(15)]),
            toxic("bandwidth", direction, ["rate": .int(20_000)]),
            toxic("slicer", direction, ["average_size": .int(3000), "size_variation": .int(1000), "delay": .int(5)]),
            toxic("slow_close", direction, ["delay": .int(30)]), toxic("noop", direction),
            toxic("limit_data", direction, ["bytes": .int(1 << 40)]),
            toxic("replace", direction, ["find": .string("no such pattern"), "with": .string("")]),
            toxic("dns", direction, ["host": .string("example.com"), "address": .string("127.0.0.1")]),
            toxic("corrupt", direction, ["rate": .double(0)]),
            toxic("packet_loss", direction, ["loss_rate": .double(0)]),
            toxic("hold", direction, ["timeout": .int(50)]),
        ]
    }

    @Test("Latency 100 +- 20 is never early, and the bytes come in order")
    func latency() async throws {
        let server = try TCPServer()
        let latency = Self.toxic("latency", .downstream, ["latency": .int(100), "jitter": .int(20)])
        try await withRelay(server.route, configure: { $0.toxics = [0: [latency]] }) { relay, collector in
            let shortest = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                var shortest = Duration.seconds(100)
                var pattern = Pattern(seed: 1)
                for _ in 0..<20 {
                    let bytes = pattern.next(50)
                    let sent = ContinuousClock.now
                    try peer.send(bytes)
                    #expect(try client.receive(50) == bytes)
                    shortest = min(shortest, ContinuousClock.now - sent)
                }
                peer.finish()
                client.finish()
                #expect(try client.receiveToEnd().ending == .end)
                return shortest
            }
            #expect(shortest >= .milliseconds(80))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished && closed.downstream.bytes == 1000)
        }
    }

    @Test("Half-closes are kept, and all bytes come, under every toxic that loses none", arguments: lossless)
    func halfClose(_ toxic: ToxicConfiguration) async throws {
        let size = 200_000
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.toxics = [0: [toxic]] }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try client.send(size, seed: 1, finishing: true)
                #expect(try peer.receiveToEnd(seed: 1) == .init(size))
                // The other half is open still.
                try peer.send(size, seed: 2, finishing: true)
                #expect(try client.receiveToEnd(seed: 2) == .init(size))
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
            #expect(closed.upstream.bytes == UInt64(size) && closed.downstream.bytes == UInt64(size))
        }
    }

    @Test("A reset is seen as ECONNRESET on both sides")
    func reset() async throws {
        let server = try TCPServer()
        let reset = Self.toxic("reset_peer", .upstream, ["timeout": .int(50)])
        try await withRelay(server.route, configure: { $0.toxics = [0: [reset]] }) { relay, collector in
            let elapsed = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                let sent = ContinuousClock.now
                try client.send("anything")
                #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
                let ended = try peer.receiveToEnd()
                #expect(ended.bytes.isEmpty && ended.ending == .failed(.connectionReset))
                return ContinuousClock.now - sent
            }
            #expect(elapsed >= .milliseconds(50))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .toxic && closed.upstream.droppedBytes == 8)
        }
    }

    @Test("Behind a limit a sender is read on while the receiver is full, and gets an end and no reset")
    func limitWithFullReceiver() async throws {
        let server = try TCPServer()
        // The latency lets the relay read more than the client's kernel takes before the limit ends the flow.
        let toxics = [
            Self.toxic("latency", .downstream, ["latency": .int(300)]),
            Self.toxic("limit_data", .downstream, ["bytes": .int(12_000_000)]),
        ]
        try await withRelay(server.route, configure: { $0.toxics = [0: toxics] }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint, receiveBuffer: 4096)
                let peer = try server.accept()
                // More than all kernels between hold; the client reads nothing meanwhile.
                try peer.send(40_000_000, seed: 1, finishing: true)
                #expect(try peer.receiveToEnd().ending == .end)
                #expect(try client.receiveToEnd(seed: 1) == .init(12_000_000))
                client.finish()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .toxic && closed.downstream.droppedBytes == 28_000_000)
        }
    }

    @Test("A limit lets exactly its bytes go, then both sides get an end")
    func limit() async throws {
        let server = try TCPServer()
        let limit = Self.toxic("limit_data", .downstream, ["bytes": .int(100_000)])
        try await withRelay(server.route, configure: { $0.toxics = [0: [limit]] }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try peer.send(300_000, seed: 1, finishing: true)
                #expect(try client.receiveToEnd(seed: 1) == .init(100_000))
                client.finish()
                #expect(try peer.receiveToEnd().ending == .end)
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .toxic && closed.downstream.bytes == 100_000)
            #expect(closed.downstream.droppedBytes == 200_000)
        }
    }

    @Test("The removal of a timeout closes its flows")
    func timeout() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = 2 }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await collector.wait("connected") { if case .connected = $0.happening { true } else { false } }
            try await relay.setToxics([Self.toxic("timeout", .downstream)], route: 0)
            #expect(try await relay.toxics(route: 0).map(\.name) == ["timeout_downstream"])
            try await runThread { try peer.send("lost") }
            try await collector.wait("the loss") { $0.dropped != nil }
            try await relay.setToxics([], route: 0)
            try await runThread {
                for ended in [try client.receiveToEnd(), try peer.receiveToEnd()] {
                    #expect(ended.bytes.isEmpty && ended.ending == .end)
                }
                client.close()
                peer.close()
            }
            #expect(try await collector.closes()[0].reason == .toxic)
        }
    }

    @Test("Each toxic is removed and put back 100 times under load, and the bytes are equal", arguments: lossless)
    func removal(_ toxic: ToxicConfiguration) async throws {
        let size = TestSize.bytes(8 << 20)
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = 2 }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            let isDone = Flag()
            async let up: Void = runThread {
                var pattern = Pattern(seed: 1)
                while !isDone.isSet { try client.send(size / 64, of: &pattern) }
                client.finish()
            }
            async let down: Void = runThread { try peer.send(size, seed: 2, finishing: true) }
            async let upReceived = runThread { try peer.receiveToEnd(seed: 1) }
            async let downReceived = runThread { try client.receiveToEnd(seed: 2) }
            for _ in 0..<100 {
                try await relay.setToxics([toxic], route: 0)
                try await relay.setToxics([], route: 0)
            }
            isDone.set()
            _ = try await (up, down)
            let (upCame, downCame) = try await (upReceived, downReceived)
            #expect(upCame.firstDifference == nil && upCame.ending == .end)
            #expect(downCame == .init(size))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished && closed.upstream.bytes == UInt64(upCame.count))
        }
    }

    @Test("Replaces a pattern cut at every possible border")
    func replace() async throws {
        let text = Array("say hello to hello, hell".utf8)
        let server = try TCPServer()
        let attributes: [String: ToxicValue] = [
            "find": .string("hello"), "with": .string("goodbye"), "wait": .int(10_000),
        ]
        try await withRelay(
            server.route,
            configure: { $0.toxics = [0: [Self.toxic("replace", .upstream, attributes)]] }
        ) { relay, collector in
            for border in 1..<text.count {
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    let peer = try server.accept()
                    try client.send(Array(text[..<border]))
                    // What can go on goes at once: that it has come shows that the rest is another read.
                    let whole = "say goodbye to goodbye, hell"
                    let first = try peer.receive(Self.passed(text[..<border]))
                    try client.send(Array(text[border...]))
                    client.finish()
                    let rest = try peer.receiveToEnd().bytes
                    #expect(String(decoding: first + rest, as: UTF8.self) == whole, "cut at \(border)")
                    peer.finish()
                }
            }
            #expect(try await collector.closes(text.count - 1).allSatisfy { $0.reason == .finished })
        }
    }

    /// Counts what goes on of a text at once: all but an end that may be the beginning of "hello".
    private static func passed(_ text: ArraySlice<UInt8>) -> Int {
        let replaced = String(decoding: text, as: UTF8.self).split(separator: "hello", omittingEmptySubsequences: false)
            .joined(separator: "goodbye")
        let kept = ["hell", "hel", "he", "h"].first { replaced.hasSuffix($0) }
        return replaced.utf8.count - (kept?.utf8.count ?? 0)
    }

    @Test("Datagrams are lost, duplicated and delayed, each as the records say")
    func datagrams() async throws {
        let server = try UDPPeer()
        let chain = [
            Self.toxic("loss", .upstream, ["rate": .double(0.3)]),
            Self.toxic("duplicate", .upstream, ["rate": .double(0.3)]),
            Self.toxic("latency", .upstream, ["latency": .int(20)]),
        ]
        try await withRelay(
            try server.route,
            configure: {
                $0.toxics = [0: chain]
                $0.seed = 5
            }
        ) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            for number in 0..<200 { try client.send("datagram \(number)") }
            let records = try await collector.wait(for: 200, "arrivals") { record in
                if case .received = record.happening { true } else { false }
            }
            let lost = { collector.records.compactMap(\.dropped).reduce(0) { $0 + $1.datagrams } }
            try await collector.wait("losses") { $0.dropped != nil }
            let count = try await collector.wait(for: 150, "what goes on") { $0.forwarded != nil }.count
            #expect(records.count == 200 && (30...90).contains(lost()) && count >= 150)
            let (first, _) = try await runThread { try server.receive() }
            #expect(String(decoding: first, as: UTF8.self).hasPrefix("datagram "))
        }
    }

    @Test("Under a toxic that holds everything a stream pauses at 32 MiB, and a datagram is counted")
    func bound() async throws {
        let server = try TCPServer()
        try await withRelay(
            server.route,
            interest: .chunks,
            grace: .zero,
            configure: { $0.toxics = [0: [Self.toxic("bandwidth", .upstream)]] }
        ) { relay, collector in
            let (client, _) = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try client.sendUntilStuck(seed: 1)
                return (client, peer)
            }
            await relay.stop(grace: .zero)
            let closed = try await collector.closes()[0]
            let read = collector.records.reduce(0) { sum, record in
                if case .received(let chunk) = record.happening { sum + chunk.length } else { sum }
            }
            // The bound, and one read at most; what the kernel had and the relay had not read is dropped as well.
            #expect(((31 << 20)...(33 << 20)).contains(read))
            #expect(closed.upstream.droppedBytes >= read)
            client.close()
        }
    }

    @Test("What is wrong changes nothing")
    func wrong() async throws {
        let server = try TCPServer()
        try await withRelay(server.route) { relay, _ in
            let noop = Self.toxic("noop")
            try await relay.setToxics([noop], route: 0)
            await #expect(throws: ToxicError.self) { try await relay.setToxics([Self.toxic("loss")], route: 0) }
            await #expect(throws: ToxicError.duplicate(name: noop.name)) {
                try await relay.setToxics([noop, noop], route: 0)
            }
            await #expect(throws: ToxicError.unknownRoute(1)) { try await relay.setToxics([], route: 1) }
            #expect(try await relay.toxics(route: 0) == [noop])
            await relay.stop(grace: .zero)
            // Loops that have ended are not waited for.
            try await relay.setToxics([], route: 0)
        }
    }
}

/// A flag that is set once, by one thread, and seen by another.
private final class Flag: Sendable {
    private let value = Lock(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
