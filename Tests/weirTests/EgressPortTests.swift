import Glibc
import Support
import Testing
import WeirRelay
import WeirWire

@Suite("weir relay --egress-port", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct EgressPortTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A relay with an echo server behind it, in a network of its own or in the test's.
    private func start(
        _ choice: String,
        listen: String,
        in namespace: NetworkNamespace?
    ) throws -> (relay: WeirProgram, echo: WeirProgram, tcp: Endpoint, udp: Endpoint) {
        let launcher = namespace?.launcher ?? []
        let echo = try WeirProgram(["echo", "--show", "none", "tcp:0", "udp:0"], launcher: launcher, seconds: 60)
        let servers = try echo.listening(2)
        let relay = try WeirProgram(
            ["relay", "--show", "none", "--threads", "1", "--log", folder.path + "/log", "--egress-port", choice]
                + ["tcp:\(listen):0=\(servers[0])", "udp:\(listen):0=\(servers[1])"],
            launcher: launcher,
            seconds: 60
        )
        let endpoints = try relay.listening(2)
        return (relay, echo, endpoints[0], endpoints[1])
    }

    private func openLines() throws -> [[String: Any]] { try LogLines(try folder.read("log")).all("open") }

    private func port(_ text: Any?) throws -> UInt16 {
        let endpoint = try #require(text as? String)
        return try #require(Endpoint(endpoint)).port
    }

    @Test(
        "With same, a client of another host gets its own port number, and the kernel's choice where that is taken",
        .needsRoot
    )
    func same() async throws {
        let (here, there) = (try NetworkNamespace(), try NetworkNamespace())
        try here.join(there)
        let (relay, echo, tcp, udp) = try start("same", listen: "10.9.0.1", in: here)
        for _ in 0..<5 {
            let client = try there.make { try TCPPeer(to: tcp) }
            try client.send("hello")
            #expect(try client.receive(5) == Array("hello".utf8))
            client.finish()
            _ = try client.receiveToEnd()
            let datagrams = try there.make { try UDPPeer(to: udp) }
            try datagrams.send(Array("hello".utf8))
            #expect(try datagrams.receiveText() == "hello")
        }
        // A port that is taken where the relay dials from.
        let holder = try here.make { try TCPServer() }
        let endpoint = Endpoint(address: try #require(IPAddress("10.9.0.2")), port: holder.endpoint.port)
        let late = try there.make {
            let socket = try LoopbackSocket(.tcp, for: endpoint.address)
            try socket.bind(to: endpoint)
            try socket.connect(to: tcp)
            return socket
        }
        #expect(late.local == endpoint)
        let deadline = Deadline()
        while !String(decoding: try folder.read("log"), as: UTF8.self).contains("\"client\":\"\(endpoint)\"") {
            if deadline.isOver { throw HelperError("the late client is not in the log") }
            poll(nil, 0, 1)
        }
        late.close()
        #expect(try await relay.stop().status == 0)
        _ = try await echo.stop()
        let lines = try openLines()
        #expect(lines.count == 11)
        for line in lines {
            let (client, egress) = (try port(line["client"]), try port(line["egress"]))
            #expect(line["egress_asked"] as? String == "\(client)")
            #expect(line["egress_got"] as? Bool == (client != endpoint.port))
            #expect((client == egress) == (client != endpoint.port))
        }
    }

    @Test("With same, a client of the relay's own address is told of once, and the kernel chooses")
    func ownAddress() async throws {
        let (relay, echo, tcp, _) = try start("same", listen: "127.0.0.1", in: nil)
        for _ in 0..<3 {
            let client = try TCPPeer(to: tcp)
            try client.send("hello")
            #expect(try client.receive(5) == Array("hello".utf8))
        }
        let ended = try await relay.stop()
        _ = try await echo.stop()
        #expect(ended.errors.split(separator: "\n").count { $0.contains("always taken") } == 1)
        for line in try openLines() {
            #expect(line["egress_got"] as? Bool == false)
            #expect(try port(line["client"]) != port(line["egress"]))
        }
    }

    @Test("A range is kept to")
    func range() async throws {
        let (relay, echo, tcp, udp) = try start("40000-40999", listen: "127.0.0.1", in: nil)
        for _ in 0..<10 {
            let client = try TCPPeer(to: tcp)
            try client.send("hello")
            #expect(try client.receive(5) == Array("hello".utf8))
            let datagrams = try UDPPeer(to: udp)
            try datagrams.send(Array("hello".utf8))
            #expect(try datagrams.receiveText() == "hello")
        }
        #expect(try await relay.stop().status == 0)
        _ = try await echo.stop()
        let lines = try openLines()
        #expect(lines.count == 20)
        for line in lines {
            #expect((40_000...40_999).contains(try port(line["egress"])))
            #expect(line["egress_asked"] as? String == "40000-40999" && line["egress_got"] as? Bool == true)
        }
    }

    @Test("A range that the kernel would leave out is refused at the start")
    func outside() async throws {
        let program = try WeirProgram(["relay", "--egress-port", "2000-2999", "tcp:0=127.0.0.1:9"])
        let ended = try await program.finish()
        #expect(ended.status == 69)
        #expect(
            ended.errors.hasPrefix(
                "weir: cannot take ports from 2000-2999: out of range (ERANGE); the kernel takes only bounds within "
                    + "net.ipv4.ip_local_port_range, which is "
            )
        )
        let probe = try WeirProgram(["ports", "--probe", "tcp", "--style", "range", "--range", "2000-2999"])
        let probed = try await probe.finish()
        #expect(probed.status == 69 && probed.errors == ended.errors)
    }

    @Test("The kernel's own choice is left as it is: even ports, small steps, by default", .needsRoot)
    func kernel() async throws {
        let namespace = try NetworkNamespace()
        let (relay, echo, tcp, _) = try start("kernel", listen: "127.0.0.1", in: namespace)
        for _ in 0..<40 {
            let client = try namespace.make { try TCPPeer(to: tcp) }
            try client.send("hello")
            #expect(try client.receive(5) == Array("hello".utf8))
        }
        #expect(try await relay.stop().status == 0)
        _ = try await echo.stop()
        let ports = try WeirProgram(["ports", "--json", folder.path + "/log"])
        let objects = try LogLines(try await ports.finish().output).objects
        #expect(objects.count == 2)
        for object in objects { #expect(object["class"] as? String == "linux-connect") }
        #expect(try openLines().allSatisfy { $0["egress_asked"] == nil })
    }
}
