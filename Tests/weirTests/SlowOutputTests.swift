import Support
import Testing
import WeirWire

@Suite("A reader of standard output that is slow", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct SlowOutputTests {
    private static let smallChunks = 1000

    private let program: WeirProgram
    private let client: TCPPeer
    private let peer: TCPPeer

    /// Starts a relay whose dumps are short, and fills its standard output, which nobody reads, with small chunks.
    private init(overflow: String) throws {
        let server = try TCPServer()
        program = try WeirProgram(
            ["relay", "--show-limit", "1", "--overflow", overflow, "--grace", "60s", server.route],
            seconds: 60
        )
        client = try TCPPeer(to: try program.listening()[0])
        peer = try server.accept()
        for _ in 0..<Self.smallChunks {
            try client.send([1])
            _ = try peer.receive(1)
        }
    }

    init() throws { try self.init(overflow: "wait") }

    @Test("Makes the flows wait, and gets everything")
    func waits() async throws {
        let receiving = try Background { [peer] in try peer.receiveToEnd(seed: 1).count }
        // The relay takes what its queue for the output has room for, 64 MiB with the room that is left over in its batches,
        // and reads no more; what the sockets hold comes on top.
        try client.sendUntilStuck(seed: 1)
        client.finish()
        peer.finish()
        let ended = try await program.stop()
        let received = try receiving.value()
        #expect(received > 32 << 20 && received < 96 << 20)
        #expect(ended.status == 0)
        let (shown, lost) = count(ended.output)
        #expect(lost == 0)
        #expect(shown == Self.smallChunks + received)
    }

    @Test("With --overflow drop the flows go on, and what is shown and what is left out add up")
    func drops() async throws {
        let slow = try Self(overflow: "drop")
        let big = 100 << 20
        let sending = try Background { [client = slow.client] in try client.send(big, seed: 1, finishing: true) }
        #expect(try slow.peer.receiveToEnd(seed: 1) == .init(big))
        try sending.value()
        slow.peer.finish()
        #expect(try slow.client.receiveToEnd().bytes == [])
        let ended = try await slow.program.stop()
        #expect(ended.status == 0)
        let (shown, lost) = count(ended.output)
        #expect(lost > 0)
        #expect(shown + lost == Self.smallChunks + big)
        #expect(ended.errors.contains("weir: standard output was too slow: "))
        #expect(ended.errors.contains("chunks (\(lost) bytes)"))
    }

    /// Adds up the bytes of the upstream chunks that the output shows, and of those that it says it left out.
    private func count(_ output: [UInt8]) -> (shown: Int, lost: Int) {
        var (shown, lost) = (0, 0)
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.contains(" #1 ▲ "), words.count > 4, let bytes = Int(words[4]) { shown += bytes }
            guard line.hasSuffix(" not shown: this output was too slow") else { continue }
            if let place = words.firstIndex(of: "B"), let bytes = Int(words[place - 1]) { lost += bytes }
        }
        return (shown, lost)
    }
}
