import Support
import Testing
import WeirWire

@Suite("weir echo", .tags(.network), .timeLimit(.minutes(1)))
struct EchoCommandTests {
    @Test("What comes is sent back, shown a line each, and recorded between client and echo server")
    func echoes() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a.pcapng"
        let program = try WeirProgram(["echo", "--record", path, "tcp:0", "udp:0"])
        let endpoints = try program.listening(2)
        try await runThread {
            let stream = try TCPPeer(to: endpoints[0])
            try stream.send("stream of bytes")
            #expect(try stream.receive(15) == Array("stream of bytes".utf8))
            stream.finish()
            _ = try stream.receiveToEnd()
            let datagrams = try UDPPeer(to: endpoints[1])
            try datagrams.send("a datagram")
            #expect(try datagrams.receiveText() == "a datagram")
        }
        let ended = try await program.stop()
        #expect(ended.status == 0 && ended.errors.contains("recorded \(path)\n"))
        let text = String(decoding: ended.output, as: UTF8.self)
        #expect(
            text.contains(" #1 ▲ 15 B @0") && text.contains("total: 1 tcp flow, 1 udp flow"),
            "\(text)"
        )
        #expect(!text.contains("|stream of bytes"))
        let frames = try SeenFrames(at: path).frames.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(frames.count { $0.contains("stream of bytes") } == 2 && frames.count { $0.contains("a datagram") } == 2)
        let piped = try WeirProgram(["echo", "--record", "-", "tcp:0"])
        let endpoint = try piped.listening()[0]
        try await runThread {
            let peer = try TCPPeer(to: endpoint)
            try peer.send("x")
            _ = try peer.receive(1)
            peer.finish()
            _ = try peer.receiveToEnd()
        }
        let ending = try await piped.stop()
        #expect(ending.status == 0 && ending.errors.contains("total: 1 tcp flow"))
        #expect(try SeenFrames(ending.output).frames.count > 5)
    }
}
