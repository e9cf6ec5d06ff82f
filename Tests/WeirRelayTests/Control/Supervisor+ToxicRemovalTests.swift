import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("Toxics that lose or change bytes are removed under load", .tags(.network), .timeLimit(.minutes(2)))
struct SupervisorToxicRemovalTests {
    private static let rounds = 100

    /// Lists the types that drop chunks of a stream, and leave the flow open.
    static let losses = ["packet_loss", "blackhole", "reset_peer"]

    private static let attributes: [String: [String: ToxicValue]] = [
        "packet_loss": ["loss_rate": .double(0.5)],
        // It is removed before its time comes.
        "reset_peer": ["timeout": .int(60_000)],
        "corrupt": ["rate": .double(0.0001)],
        "replace": ["find": .string("hex:6162"), "with": .string("hex:0001020304")],
    ]

    private static func toxic(_ type: String, _ direction: Direction) -> ToxicConfiguration {
        ToxicConfiguration(type, direction, attributes: attributes[type] ?? [:])
    }

    /// Sends bytes while a toxic comes and goes 100 times, and then as many without it.
    ///
    /// - Parameters:
    ///   - toxic: the toxic.
    ///   - pieces: what is sent, piece by piece.
    /// - Returns: what came, the records, and the last of them.
    /// - Throws: what the relay and the sockets throw.
    private func relay(
        _ toxic: ToxicConfiguration,
        _ pieces: [[UInt8]]
    ) async throws -> (came: [UInt8], records: [FlowRecord], closed: CloseRecord) {
        let server = try TCPServer()
        return try await withRelay(server.route, configure: { $0.threads = 2 }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            let (sender, receiver) = toxic.direction == .upstream ? (client, peer) : (peer, client)
            async let received = runThread { try receiver.receiveToEnd() }
            for piece in pieces.dropLast() {
                try await relay.setToxics([toxic], route: 0)
                // The removal meets what is on its way.
                async let sent: Void = runThread { try sender.send(piece) }
                try await relay.setToxics([], route: 0)
                try await sent
            }
            try await runThread { [last = pieces[pieces.count - 1]] in
                try sender.send(last)
                sender.finish()
                receiver.finish()
            }
            let (came, ending) = try await received
            #expect(ending == .end)
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
            return (came, collector.records, closed)
        }
    }

    private static func pieces(_ size: Int = 64 << 10) -> [[UInt8]] {
        var pattern = Pattern(seed: 1)
        return (0...rounds).map { _ in pattern.next(size) }
    }

    @Test("What comes is what was sent without what the records call dropped", arguments: losses, Direction.allCases)
    func dropped(_ type: String, _ direction: Direction) async throws {
        let pieces = Self.pieces()
        let (came, records, closed) = try await relay(Self.toxic(type, direction), pieces)
        let sent = Bytes.joined(pieces)
        var expected: [UInt8] = []
        var place = 0
        var arrived: ChunkRecord?
        for record in records {
            switch record.happening {
            case .received(let chunk) where chunk.direction == direction: arrived = chunk
            case .dropped(let loss) where loss.direction == direction:
                let chunk = try #require(arrived)
                #expect(loss.bytes == UInt64(chunk.length))
                expected += sent[place..<Int(chunk.offset)]
                place = Int(chunk.offset) + chunk.length
            default: break
            }
        }
        expected += sent[place...]
        #expect(Bytes.firstDifference(came, expected) == nil)
        let way = direction == .upstream ? closed.upstream : closed.downstream
        #expect(way.bytes == UInt64(came.count) && way.bytes + way.droppedBytes == UInt64(sent.count))
        // The last piece met no toxic.
        #expect(Bytes.firstDifference(came.suffix(pieces[0].count), pieces[pieces.count - 1]) == nil)
    }

    @Test("As many bits are flipped as the records say, and no byte is lost", arguments: Direction.allCases)
    func corrupt(_ direction: Direction) async throws {
        let pieces = Self.pieces()
        let (came, records, _) = try await relay(Self.toxic("corrupt", direction), pieces)
        let sent = Bytes.joined(pieces)
        try #require(came.count == sent.count)
        #expect(Bytes.differingBits(sent, came) == records.changed(.flipped, direction))
        #expect(Bytes.firstDifference(came.suffix(pieces[0].count), pieces[pieces.count - 1]) == nil)
    }

    @Test("Only the pattern is replaced, as often as the records say", arguments: Direction.allCases)
    func replace(_ direction: Direction) async throws {
        // Letters that often begin the pattern, and nothing that it is replaced by.
        let letters = Array("aabc".utf8)
        var random = SplitMix64(seed: 1)
        let letterPieces = Self.pieces(1 << 10).map { piece in piece.map { letters[Int($0 & 3)] } }
        // Few letters are drawn, and many of them sent: each piece is 64 of the small ones.
        let pieces = letterPieces.map { _ in
            Bytes.joined((0..<64).map { _ in letterPieces[Int.random(in: letterPieces.indices, using: &random)] })
        }
        let (came, records, _) = try await relay(Self.toxic("replace", direction), pieces)
        let (restored, count) = Bytes.replacing([0, 1, 2, 3, 4], in: came, by: [0x61, 0x62])
        let replaced = 2 * count
        #expect(Bytes.firstDifference(restored, Bytes.joined(pieces)) == nil)
        #expect(replaced == records.changed(.replaced, direction))
        #expect(Bytes.firstDifference(came.suffix(pieces[0].count), pieces[pieces.count - 1]) == nil)
    }

    @Test("The removal of a timeout under load closes 100 flows, and what was sent is received or counted")
    func timeout() async throws {
        let size = 50_000
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = 2 }) { relay, collector in
            for round in 1...Self.rounds {
                let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
                try await collector.wait(for: round, "connected", \.isConnected)
                try await relay.setToxics([Self.toxic("timeout", .upstream)], route: 0)
                async let sent: Void = runThread { try client.send(size, seed: 1, finishing: true) }
                async let came = runThread { try peer.receiveToEnd(seed: 1) }
                async let answer = runThread { try client.receiveToEnd() }
                try await relay.setToxics([], route: 0)
                try await sent
                #expect(try await answer.ending == .end)
                let received = try await came
                peer.close()
                client.close()
                let closed = try await collector.closes(round)[round - 1]
                // What came before the toxic was on is all that the server has.
                #expect(received.ending == .end && received.firstDifference == nil)
                #expect(closed.reason == .toxic && closed.upstream.bytes == UInt64(received.count))
                #expect(closed.upstream.bytes + closed.upstream.droppedBytes == UInt64(size))
            }
        }
    }

    @Test("A limit that is removed under load has let all go or exactly its bytes, on 100 flows")
    func limit() async throws {
        let (size, limit) = (100_000, 30_000)
        let server = try TCPServer()
        let toxic = ToxicConfiguration("limit_data", .upstream, attributes: ["bytes": .int(limit)])
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = 2 }) { relay, collector in
            for round in 1...Self.rounds {
                let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
                try await relay.setToxics([toxic], route: 0)
                async let sent: Void = runThread { try client.send(size, seed: 1, finishing: true) }
                async let came = runThread {
                    let received = try peer.receiveToEnd(seed: 1)
                    peer.finish()
                    return received
                }
                async let answer = runThread { try client.receiveToEnd() }
                try await relay.setToxics([], route: 0)
                try await sent
                #expect(try await answer.ending == .end)
                let received = try await came
                let closed = try await collector.closes(round)[round - 1]
                #expect(received == .init(closed.reason == .toxic ? limit : size))
                #expect(closed.upstream.bytes + closed.upstream.droppedBytes == UInt64(size))
            }
        }
    }
}

extension [FlowRecord] {
    /// Counts what toxics have changed in what went on.
    func changed(_ kind: ToxicChange.Kind, _ direction: Direction) -> Int {
        compactMap(\.forwarded).filter { $0.direction == direction }.flatMap(\.changes)
            .reduce(0) { $0 + ($1.kind == kind ? $1.count : 0) }
    }
}
