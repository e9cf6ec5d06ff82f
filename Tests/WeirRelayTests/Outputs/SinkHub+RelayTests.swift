import Glibc
import Support
import Testing
import WeirEngine

@testable import WeirRelay

@Suite("Outputs of a relay", .tags(.network), .timeLimit(.minutes(1)))
struct RelayOutputTests {
    @Test("A full output makes the flows wait, and nothing is lost", arguments: [1, 2])
    func waits(threads: Int) async throws {
        let server = try TCPServer()
        let pipe = try OutputPipe()
        let size = 8 << 20
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.sinkBound = 1 << 20
            },
            outputs: [pipe.output(.wait)],
            pipes: [pipe]
        ) { relay, collector in
            let (client, peer) = try await runThread {
                (try TCPPeer(to: relay.endpoint, receiveBuffer: 64 << 10), try server.accept())
            }
            async let received = runThread { try client.receiveToEnd(seed: 1) }
            let stuck = try await runThread {
                // Nobody reads the pipe: the sender is held up by its own kernel.
                var pattern = Pattern(seed: 1)
                peer.socket.setPatience(.milliseconds(300))
                do {
                    while true { try peer.send(64 << 10, of: &pattern) }
                } catch {
                    return pattern
                }
            }
            let shown = collector.records.compactMap(\.forwarded).reduce(0) { $0 + $1.length }
            #expect(shown < 16 << 20)
            let reading = pipe.readToEnd()
            try await runThread {
                var pattern = stuck
                peer.socket.setPatience(LoopbackSocket.patience)
                try peer.send(size, of: &pattern)
                peer.finish()
                client.finish()
            }
            #expect(try await received == .init(stuck.position + size))
            await relay.stop(grace: .seconds(5))
            pipe.finish()
            var pattern = Pattern(seed: 1)
            let written = try await reading.value
            #expect(written.count == stuck.position + size)
            #expect(written.withUnsafeBytes { pattern.firstDifference(in: $0) } == nil)
        }
    }

    @Test("An output that drops holds nobody up", arguments: [1, 2])
    func drops(threads: Int) async throws {
        let server = try TCPServer()
        let pipe = try OutputPipe()
        let reports = Reports()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.sinkBound = 1 << 20
            },
            outputs: [pipe.output(.drop)],
            pipes: [pipe],
            reports: reports
        ) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            async let received = runThread { try client.receiveToEnd(seed: 1) }
            try await runThread {
                try peer.send(64 << 20, seed: 1, finishing: true)
                client.finish()
            }
            #expect(try await received == .init(64 << 20))
            let reading = pipe.readToEnd()
            await relay.stop(grace: .seconds(5))
            pipe.finish()
            let shown = try await reading.value.count
            let lost = reports.sinks.compactMap { if case .lost("pipe", _, let bytes) = $0 { bytes } else { nil } }
            #expect(lost.count == 1 && shown < 64 << 20)
            #expect(shown + Int(lost.first ?? 0) == 64 << 20)
        }
    }

    @Test("What a side sent before it reset is not lost while an output is full", .tags(.slow), arguments: [1, 2])
    func resetWhileHeld(threads: Int) async throws {
        let server = try TCPServer()
        let pipe = try OutputPipe()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.sinkBound = 64 << 10
            },
            outputs: [pipe.output(.wait)],
            pipes: [pipe]
        ) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            let (other, otherPeer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await runThread {
                // Another flow fills the output, until its sender is held up.
                otherPeer.socket.setPatience(.milliseconds(300))
                do {
                    while true { try otherPeer.send(64 << 10, seed: 2) }
                } catch {}
                try peer.send(50_000, seed: 1)
                while peer.unsent > 0 { poll(nil, 0, 1) }
                peer.reset()
                // Longer than a reset waits for what is to be delivered.
                poll(nil, 0, 1500)
            }
            let reading = pipe.readToEnd()
            async let drained = runThread { try other.receiveToEnd() }
            let received = try await runThread { try client.receiveToEnd(seed: 1) }
            #expect(received == .init(50_000, .failed(.connectionReset)))
            otherPeer.close()
            other.finish()
            _ = try await drained
            await relay.stop()
            pipe.finish()
            _ = try await reading.value
            #expect(collector.records.allSatisfy { $0.dropped == nil })
        }
    }
}
