import Support
import Testing
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

@Suite("Messages under toxics", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorToxicMessagesTests {
    @Test("A delayed answer of a server that closes has its message", arguments: [1, 2])
    func delayedAnswer(threads: Int) async throws {
        let server = try TCPServer()
        let pipe = try OutputPipe()
        let latency = ToxicConfiguration("latency", .downstream, attributes: ["latency": .int(300)])
        let reading = pipe.readToEnd()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.toxics = [0: [latency]]
            },
            outputs: [pipe.output(.wait, sink: JSONLinesSink(withBytes: false, dissects: true))],
            pipes: [pipe]
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let peer = try server.accept()
                _ = try peer.receive(27)
                // The length of the body is known by the end alone, which comes before the toxic lets the answer go.
                try peer.send("HTTP/1.1 200 OK\r\n\r\nhello")
                peer.finish()
                #expect(try client.receiveToEnd().bytes.suffix(5) == Array("hello".utf8))
                client.close()
                _ = try peer.receiveToEnd()
            }
            try await collector.closes()
        }
        pipe.finish()
        let lines = try LogLines(try await reading.value)
        let messages = lines.all("message").compactMap { $0["summary"] as? String }
        #expect(messages.contains { $0.contains("200") }, "\(lines.objects)")
        #expect(messages.count == 2)
    }
}
