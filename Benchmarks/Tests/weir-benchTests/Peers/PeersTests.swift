import Testing

@testable import weir_bench

@Suite("Peers")
struct PeersTests {
    static func request(
        _ transport: Socket.Transport,
        workers: Int = 1,
        flows: Int = 8,
        watching: Watching = .nothing,
        folder: String = "/tmp/x"
    ) -> RelayRequest {
        RelayRequest(
            transport: transport,
            serverPort: 65432,
            workers: workers,
            flows: flows,
            watching: watching,
            folder: folder
        )
    }

    @Test("Weir's line for a route gives the port, for the right transport only")
    func announcement() {
        let text = """
            weir: note
            listening udp 127.0.0.1:1 -> 127.0.0.1:2
            listening tcp 127.0.0.1:9000 -> 127.0.0.1:65432

            """
        #expect(WeirPeer.announcedPorts(in: text, transport: .tcp) == [9000])
        #expect(WeirPeer.announcedPorts(in: text, transport: .udp) == [1])
        let second = "listening tcp 127.0.0.1:9001 -> 127.0.0.1:65433\n"
        #expect(WeirPeer.announcedPorts(in: text + second, transport: .tcp) == [9000, 9001])
        let secured = "listening tls 127.0.0.1:9443 -> tls 127.0.0.1:443\n"
        #expect(WeirPeer.announcedPorts(in: secured + text, transport: .tcp) == [9443, 9000])
        #expect(WeirPeer.announcedPorts(in: secured, transport: .udp).isEmpty)
        #expect(WeirPeer.announcedPorts(in: "listening tcp 127.0.0.1:90", transport: .tcp).isEmpty)
        #expect(WeirPeer.announcedPorts(in: "", transport: .tcp).isEmpty)
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
        for peer in Peers.known { #expect(peer.refusal(transport: .tcp, flows: 1) == nil) }
        #expect(Set(Peers.securing.map(\.name)).isSubset(of: Peers.known.map(\.name)))
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

    /// A request for TLS on both legs, with a plain route beside it.
    static func secured(in folder: String = "/tmp/x") -> RelayRequest {
        var request = request(.tcp, folder: folder)
        request.isSecured = true
        request.plain = PlainRoute(port: 7, serverPort: 8)
        return request
    }

    @Test("Weir with TLS has a CA of its own, verifies nobody, and serves a plain route beside it")
    func weirSecured() throws {
        let launch = try WeirPeer().launch(program: "weir", port: 0, request: Self.secured())
        let options = ["--tls-ca", "/tmp/x/ca", "--tls-insecure-upstream", "--connect-timeout", "60s"]
        let routes = ["tls:0=127.0.0.1:65432", "tcp:7=127.0.0.1:8"]
        #expect(launch.arguments == ["relay", "--threads", "1", "--show", "none"] + options + routes)
    }

    @Test("nginx and HAProxy speak TLS on both legs, resume nothing, and serve a plain route beside it")
    func secured() {
        let nginx = NginxPeer().configuration(port: 1, request: Self.secured(), module: nil)
        #expect(nginx.contains("listen 127.0.0.1:1 backlog=4096 ssl;") && nginx.contains("proxy_ssl on;"))
        #expect(nginx.contains("ssl_session_tickets off;") && nginx.contains("proxy_ssl_session_reuse off;"))
        #expect(nginx.contains("listen 127.0.0.1:7 backlog=4096; proxy_pass 127.0.0.1:8;"))
        let haproxy = HAProxyPeer().configuration(port: 1, request: Self.secured())
        #expect(haproxy.contains("bind 127.0.0.1:1 backlog 4096 ssl crt /tmp/x/certificate.pem no-tls-tickets\n"))
        #expect(haproxy.contains("server one 127.0.0.1:65432 ssl verify none no-ssl-reuse"))
        #expect(haproxy.contains("bind 127.0.0.1:7 backlog 4096\n    server two 127.0.0.1:8\n"))
        let plain = [
            NginxPeer().configuration(port: 1, request: Self.request(.tcp), module: nil),
            HAProxyPeer().configuration(port: 1, request: Self.request(.tcp)),
        ]
        for text in plain { #expect(!text.contains("ssl") && !text.contains("beside")) }
    }

    @Test("sslsplit and mitmdump are given certificates with P-256 keys")
    func certificates() throws {
        let folder = try ScratchFolder()
        var request = Self.secured(in: folder.path)
        let split = try SSLSplitPeer().launch(program: "sslsplit", port: 1, request: request)
        #expect(split.arguments.suffix(5) == ["ssl", "127.0.0.1", "1", "127.0.0.1", "65432"])
        #expect(split.arguments.contains(request.authorityPath))
        #expect(TextFile.size(request.authorityPath) > 0 && TextFile.size(request.certificatePath) > 0)
        let other = try ScratchFolder()
        request = Self.secured(in: other.path)
        let proxy = try MitmdumpPeer().launch(program: "mitmdump", port: 1, request: request)
        #expect(proxy.arguments.contains("reverse:tls://127.0.0.1:65432@127.0.0.1:1"))
        #expect(proxy.arguments.contains("certs=*=\(request.certificatePath)"))
    }

    @Test("HAProxy has room for the flows")
    func haproxy() {
        let text = HAProxyPeer().configuration(port: 1, request: Self.request(.tcp, flows: 5000))
        #expect(text.contains("maxconn 5500") && text.contains("nbthread 1"))
    }
}
