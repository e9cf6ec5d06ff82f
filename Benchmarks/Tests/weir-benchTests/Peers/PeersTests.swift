import Testing

@testable import weir_bench

@Suite("Peers")
struct PeersTests {
    static func request(
        _ transport: Socket.Transport,
        workers: Int = 1,
        flows: Int = 8,
        watching: Watching = .nothing
    ) -> RelayRequest {
        RelayRequest(
            transport: transport,
            serverPort: 65432,
            workers: workers,
            flows: flows,
            watching: watching,
            folder: "/tmp/x"
        )
    }

    @Test("Weir's line for a route gives the port, for the right transport only")
    func announcement() {
        let text = """
            weir: note
            listening udp 127.0.0.1:1 -> 127.0.0.1:2
            listening tcp 127.0.0.1:9000 -> 127.0.0.1:65432

            """
        #expect(WeirPeer.announcedPort(in: text, transport: .tcp) == 9000)
        #expect(WeirPeer.announcedPort(in: text, transport: .udp) == 1)
        #expect(WeirPeer.announcedPort(in: "listening tcp 127.0.0.1:90", transport: .tcp) == nil)
        #expect(WeirPeer.announcedPort(in: "", transport: .tcp) == nil)
    }

    @Test("Weir is told its workers, its watching and its route")
    func weirArguments() throws {
        let launch = try WeirPeer().launch(program: "weir", port: 0, request: Self.request(.udp, workers: 2))
        #expect(launch.arguments == ["relay", "--threads", "2", "--show", "none", "udp:0=127.0.0.1:65432"])
        let lines = Self.request(.tcp, watching: .lines)
        let shown = try WeirPeer().launch(program: "weir", port: 0, request: lines)
        #expect(shown.arguments == ["relay", "--threads", "1", "--show", "summary", "tcp:0=127.0.0.1:65432"])
        #expect(shown.output == "/tmp/x/output" && launch.output == "/dev/null")
    }

    @Test("Names differ, and every peer takes a plain TCP flow")
    func all() {
        #expect(Set(Peers.all.map(\.name)).count == Peers.all.count)
        for peer in Peers.all { #expect(peer.refusal(transport: .tcp, flows: 1) == nil) }
    }

    @Test("nginx: one worker without reuseport, several with it; half-close only over TCP")
    func nginx() {
        let one = NginxPeer().configuration(port: 1, request: Self.request(.udp), module: nil)
        #expect(one.contains("listen 127.0.0.1:1 udp;"))
        #expect(!one.contains("half_close") && !one.contains("load_module"))
        let two = NginxPeer().configuration(port: 1, request: Self.request(.tcp, workers: 2), module: "/m.so")
        #expect(two.contains("listen 127.0.0.1:1 backlog=4096 reuseport;"))
        #expect(two.contains("worker_processes 2;") && two.contains("load_module /m.so;"))
    }

    @Test("HAProxy has room for the flows")
    func haproxy() {
        let text = HAProxyPeer().configuration(port: 1, request: Self.request(.tcp, flows: 5000))
        #expect(text.contains("maxconn 5500") && text.contains("nbthread 1"))
    }
}
