import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("Toxics on datagrams are removed under load", .tags(.network), .timeLimit(.minutes(2)))
struct SupervisorToxicDatagramTests {
    static let types = Toxics.all.filter { $0.transports.contains(.udp) }.map(\.name)

    private static let attributes: [String: [String: ToxicValue]] = [
        "latency": ["latency": .int(5), "jitter": .int(5)],
        "bandwidth": ["rate": .int(1000)],
        "slicer": ["average_size": .int(9), "size_variation": .int(2), "delay": .int(20)],
        // A session of its own for each few datagrams.
        "limit_data": ["bytes": .int(70)],
        // It is removed before its time comes.
        "reset_peer": ["timeout": .int(60_000)],
        "packet_loss": ["loss_rate": .double(0.5)],
        "corrupt": ["rate": .double(0.01)],
        "replace": ["find": .string("datagram"), "with": .string("telegram")],
        "loss": ["rate": .double(0.5)],
        "duplicate": ["rate": .double(0.5)],
        "reorder": ["rate": .double(0.5)],
        "dns": ["host": .string("example.com"), "address": .string("127.0.0.1")],
        "hold": ["timeout": .int(50)],
    ]

    @Test("Each toxic is removed 100 times under load, and each datagram is received or counted", arguments: types)
    func removal(_ type: String) async throws {
        let (rounds, burst) = (100, 10)
        let server = try UDPPeer()
        let toxic = ToxicConfiguration(type, .upstream, attributes: Self.attributes[type] ?? [:])
        try await withRelay(try server.route) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            async let received = runThread {
                var texts: [String] = []
                while let text = try? server.receiveText(), text != "last" { texts.append(text) }
                return texts
            }
            var sent: [String] = []
            for round in 0..<rounds {
                try await relay.setToxics([toxic], route: 0)
                for number in 0..<burst {
                    sent.append("datagram \(1000 + round * burst + number)")
                    try client.send(sent[sent.count - 1])
                }
                // Whether a burst meets the toxic before it is taken away is a matter of luck; these do.
                if type == "duplicate", round < 4 {
                    try await collector.wait(for: sent.count, "datagrams that went on") { $0.forwarded != nil }
                }
                try await relay.setToxics([], route: 0)
            }
            // What follows meets no toxic, and comes behind all that one held.
            try client.send("last")
            let came = try await received
            await relay.stop(grace: .zero)
            let closes = try await collector.closes()
            let total = closes.reduce(into: Counters()) { $0.add($1.upstream) }
            #expect(total.chunks == UInt64(came.count) + 1)
            // Flipped bits are no UTF-8 any more: what replaces them there is longer.
            if type != "corrupt" { #expect(total.bytes == UInt64(came.reduce(4) { $0 + $1.utf8.count })) }
            let copies =
                collector.records.compactMap(\.forwarded)
                .count { $0.changes.contains { $0.kind == .duplicated } } / 2
            let bytes = UInt64(4 + sent.count * 13 + copies * 13)
            #expect(total.bytes + total.droppedBytes == bytes)
            switch type {
            case "slicer", "corrupt", "replace", "limit_data": break
            case "duplicate":
                #expect(came.count == sent.count + copies && Set(came) == Set(sent) && copies > 0)
            case "reorder", "latency":
                #expect(came.sorted() == sent)
            default:
                #expect(UInt64(came.count) + total.droppedDatagrams == UInt64(sent.count))
                #expect(Set(came).count == came.count && Set(came).isSubset(of: sent) && came == came.sorted())
            }
        }
    }
}

extension Counters {
    fileprivate mutating func add(_ other: Counters) {
        chunks += other.chunks
        bytes += other.bytes
        droppedBytes += other.droppedBytes
        droppedDatagrams += other.droppedDatagrams
    }
}
