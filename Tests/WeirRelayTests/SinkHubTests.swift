import Glibc
import Support
import Synchronization
import Testing
import WeirFlow
import WeirWire

@testable import WeirRelay

@Suite("Sink hub", .timeLimit(.minutes(1)))
struct SinkHubTests {
    private static let path = FlowPath(
        client: Endpoint(address: .loopbackV4, port: 1),
        listener: Endpoint(address: .loopbackV4, port: 2)
    )

    /// Makes a batch with one chunk.
    private static func batch(_ number: UInt64, at time: Int64 = 0, length: Int = 1000) -> RecordBatch {
        let chunk = ChunkRecord(
            direction: .upstream,
            number: number,
            offset: number * UInt64(length),
            length: length,
            receivedAt: Instant(nanoseconds: time)
        )
        var batch = RecordBatch()
        let record = FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: path,
            moment: Moment(wallNanoseconds: time, instant: Instant(nanoseconds: time)),
            happening: .forwarded(chunk)
        )
        batch.append(record, bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length).span.bytes)
        return batch
    }

    /// Submits batches until a pipe is full, and then more than its last page and the hub's bound take.
    private static func fill(_ pipe: OutputPipe, _ hub: SinkHub) async throws -> UInt64 {
        try await runThread {
            var number: UInt64 = 0
            while !pipe.isFull {
                guard !hub.isFull else {
                    poll(nil, 0, 1)
                    continue
                }
                hub.submit(batch(number), lane: 0)
                number += 1
            }
            for _ in 0..<30 {
                hub.submit(batch(number), lane: 0)
                number += 1
            }
            return number
        }
    }

    /// Reads the chunks' numbers out of their bytes.
    private static func numbers(_ output: [UInt8]) -> [UInt8] {
        stride(from: 0, to: output.count, by: 1000).map { output[$0] }
    }

    private static func numbers(upTo count: some BinaryInteger) -> [UInt8] {
        (0..<Int(count)).map { UInt8(truncatingIfNeeded: $0) }
    }

    @Test("An output that waits makes the loops wait, and nothing is lost")
    func waits() async throws {
        let pipe = try OutputPipe()
        let ready = Atomic<Int>(0)
        let hub = try SinkHub(outputs: [pipe.output(.wait)], lanes: 1, bound: 16 << 10) { Issue.record("\($0)") }
        hub.whenReady { ready.add(1, ordering: .relaxed) }
        #expect(hub.interest == .bytes && !hub.isFull)
        let number = try await Self.fill(pipe, hub)
        #expect(hub.isFull)
        let reading = pipe.readToEnd()
        await hub.finish()
        #expect(!hub.isFull && ready.load(ordering: .relaxed) > 0)
        pipe.finish()
        #expect(Self.numbers(try await reading.value) == Self.numbers(upTo: number))
    }

    @Test("An output that drops makes nobody wait, and counts what it left out")
    func drops() async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let hub = try SinkHub(outputs: [pipe.output(.drop)], lanes: 1, bound: 16 << 10) { reports.add($0) }
        for number in 0..<1000 {
            hub.submit(Self.batch(UInt64(number)), lane: 0)
            #expect(!hub.isFull)
        }
        let reading = pipe.readToEnd()
        await hub.finish()
        pipe.finish()
        let shown = Self.numbers(try await reading.value)
        #expect(shown.count < 1000)
        guard case .lost("pipe", let chunks, let bytes)? = reports.sinks.first else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(reports.sinks.count == 1)
        #expect(shown.count + Int(chunks) == 1000 && bytes == chunks * 1000)
    }

    @Test("An output that fails is told once, and nobody waits for it any more")
    func fails() async throws {
        let (broken, whole) = (try OutputPipe(name: "broken"), try OutputPipe(name: "whole"))
        let reports = Reports()
        let hub = try SinkHub(outputs: [broken.output(.wait), whole.output(.wait)], lanes: 1, bound: 16 << 10) {
            reports.add($0)
        }
        let reading = whole.readToEnd()
        var number = try await Self.fill(broken, hub)
        // The writer is blocked in the pipe: closing its other end wakes it.
        broken.closeReader()
        for _ in 0..<1000 {
            hub.submit(Self.batch(number), lane: 0)
            number += 1
        }
        await hub.finish()
        whole.finish()
        #expect(!hub.isFull)
        #expect(Self.numbers(try await reading.value) == Self.numbers(upTo: number))
        guard case .failed("broken", let error, othersLeft: 1)? = reports.sinks.first else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(error == ErrorNumber(EPIPE) && reports.sinks.count == 1)
    }

    @Test("A descriptor that does not block is waited for")
    func nonBlocking() async throws {
        let pipe = try OutputPipe()
        let output = pipe.output(.wait)
        _ = fcntl(output.descriptor, F_SETFL, O_NONBLOCK)
        let hub = try SinkHub(outputs: [output], lanes: 1, bound: 16 << 10) { Issue.record("\($0)") }
        for number in 0..<500 { hub.submit(Self.batch(UInt64(number)), lane: 0) }
        let reading = pipe.readToEnd()
        await hub.finish()
        pipe.finish()
        #expect(Self.numbers(try await reading.value) == Self.numbers(upTo: 500))
    }

    @Test("Records of two loops come out in the order of their times")
    func merges() async throws {
        let pipe = try OutputPipe()
        let hub = try SinkHub(outputs: [pipe.output(.wait)], lanes: 2) { Issue.record("\($0)") }
        let reading = pipe.readToEnd()
        // In the future, so that they wait for each other until the end however slow this machine is.
        let start = SystemClock.instant().advanced(by: .seconds(60)).nanoseconds
        for number in stride(from: UInt64(0), to: 100, by: 2) {
            hub.submit(Self.batch(number, at: start + Int64(number)), lane: 0)
        }
        for number in stride(from: UInt64(1), to: 100, by: 2) {
            hub.submit(Self.batch(number, at: start + Int64(number)), lane: 1)
        }
        await hub.finish()
        pipe.finish()
        #expect(Self.numbers(try await reading.value) == Self.numbers(upTo: 100))
    }

    @Test("Finishing writes the sink's last words, and may be asked for twice")
    func finishes() async throws {
        let pipe = try OutputPipe()
        let hub = try SinkHub(outputs: [pipe.output(.wait, sink: LastWords())], lanes: 1) { Issue.record("\($0)") }
        let reading = pipe.readToEnd()
        await hub.finish()
        await hub.finish()
        pipe.finish()
        #expect(try await reading.value == Array("bye\n".utf8))
    }

    private struct LastWords: Sink {
        let interest = Interest.flows
        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {}
        mutating func finish(into output: inout ByteBuffer) { output.append("bye\n") }
    }
}

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
