import CWeir
import Glibc
import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Sockets", .tags(.network), .timeLimit(.minutes(1)))
struct SocketTests {
    private static let tcp = Int32(IPPROTO_TCP)

    @Test(
        "A socket has the transport and the family, does not block, and ends with exec",
        arguments: [Transport.tcp, .udp]
    )
    func makes(transport: Transport) throws {
        for address in [IPAddress.loopbackV4, .loopbackV6] {
            let socket = try Socket.make(transport, for: address)
            let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
            #expect(Socket.get(SO_TYPE, of: SOL_SOCKET, on: socket.raw) == Int(kind.rawValue))
            #expect(Socket.get(SO_DOMAIN, of: SOL_SOCKET, on: socket.raw) == Int(address.isV4 ? AF_INET : AF_INET6))
            #expect(fcntl(socket.raw, F_GETFL) & O_NONBLOCK != 0 && fcntl(socket.raw, F_GETFD) & FD_CLOEXEC != 0)
            #expect(Socket.localEndpoint(socket.raw) == nil && Socket.pendingError(socket.raw) == nil)
        }
    }

    @Test("Options are set and read, and one that is none is refused and 0")
    func options() throws {
        let socket = try Socket.make(.tcp, for: .loopbackV4)
        #expect(Socket.get(Int32(TCP_NODELAY), of: Self.tcp, on: socket.raw) == 0)
        Socket.setStreamOptions(socket.raw)
        #expect(Socket.get(Int32(TCP_NODELAY), of: Self.tcp, on: socket.raw) == 1)
        #expect(Socket.get(SO_OOBINLINE, of: SOL_SOCKET, on: socket.raw) == 1)
        #expect(Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: socket.raw))
        #expect(!Socket.set(12_345, of: SOL_SOCKET, to: 1, on: socket.raw))
        #expect(
            Socket.get(12_345, of: SOL_SOCKET, on: socket.raw) == 0 && Socket.get(SO_TYPE, of: SOL_SOCKET, on: -1) == 0
        )
        let other = try Socket.make(.tcp, for: .loopbackV4)
        Socket.push(other.raw)
        #expect(Socket.get(Int32(TCP_NODELAY), of: Self.tcp, on: other.raw) == 1)
    }

    @Test(
        "Keepalive asks after a time, and then nine times in a sixth of it",
        arguments: [
            (nil, 0, 7200, 75), (.seconds(60), 1, 60, 10), (.seconds(5), 1, 5, 1), (.milliseconds(1), 1, 1, 1),
            (.seconds(7), 1, 7, 1), (.seconds(12), 1, 12, 2), (.seconds(32_767), 1, 32_767, 5461),
            (.seconds(40_000), 1, 32_767, 5461), (.seconds(10_000_000_000), 1, 32_767, 5461),
        ] as [(Duration?, Int, Int, Int)]
    )
    func keepalive(duration: Duration?, isOn: Int, idle: Int, interval: Int) throws {
        let socket = try Socket.make(.tcp, for: .loopbackV4)
        Socket.setKeepalive(duration, on: socket.raw)
        #expect(Socket.get(SO_KEEPALIVE, of: SOL_SOCKET, on: socket.raw) == isOn)
        guard duration != nil else { return }
        #expect(Socket.get(Int32(TCP_KEEPIDLE), of: Self.tcp, on: socket.raw) == idle)
        #expect(Socket.get(Int32(TCP_KEEPINTVL), of: Self.tcp, on: socket.raw) == interval)
    }

    @Test("The end of a handshake waits for the bytes that go with it, where that is asked for")
    func joinsHandshake() throws {
        let socket = try Socket.make(.tcp, for: .loopbackV4)
        #expect(Socket.get(Int32(TCP_QUICKACK), of: Self.tcp, on: socket.raw) == 1)
        Socket.joinHandshake(socket.raw)
        #expect(Socket.get(Int32(TCP_QUICKACK), of: Self.tcp, on: socket.raw) == 0)
    }

    @Test("A refused dial is a pending error, once, and one that goes through has an endpoint of its own")
    func connects() throws {
        let port = try LoopbackPort.free()
        let socket = try Socket.make(.udp, for: .loopbackV4)
        #expect(Socket.connect(socket.raw, to: Endpoint(address: .loopbackV4, port: port)) == nil)
        let local = try #require(Socket.localEndpoint(socket.raw))
        #expect(local.address == .loopbackV4 && local.port != 0)
        // The kernel sends a limited number of such errors each second, for all programs (icmp_msgs_per_sec of ip-sysctl).
        let deadline = Deadline()
        var entry = pollfd(fd: socket.raw, events: 0, revents: 0)
        repeat { #expect(send(socket.raw, "x", 1, 0) == 1) } while poll(&entry, 1, 100) == 0 && !deadline.isOver
        #expect(Socket.pendingError(socket.raw) == .connectionRefused && Socket.pendingError(socket.raw) == nil)
        let other = try Socket.make(.tcp, for: .loopbackV4)
        #expect(Socket.connect(other.raw, to: Endpoint(address: .loopbackV6, port: 1))?.rawValue == EAFNOSUPPORT)
    }

    @Test("A place that is not free, not this machine's or not permitted is told with what to do")
    func binds() throws {
        func advice(_ endpoint: Endpoint) -> String? {
            do throws(SystemError) {
                let socket = try Socket.make(.tcp, for: endpoint.address)
                try Socket.bind(socket.raw, to: endpoint, attempt: "try")
                return "bound"
            } catch {
                return error.attempt == "try" ? error.advice : "\(error)"
            }
        }
        let taken = try TCPServer()
        #expect(
            advice(taken.endpoint)
                == "another program listens there; choose another port, or 0 to let the kernel choose"
        )
        #expect(
            advice(Endpoint(address: IPAddress(v4: 0xC000_0201), port: 0))
                == "no interface of this machine has that address"
        )
        #expect(advice(Endpoint(address: .loopbackV4, port: 0)) == "bound")
    }

    @Test("Closing resets where that was asked for, and else it ends")
    func resets() throws {
        for isReset in [true, false] {
            let server = try TCPServer()
            let peer: TCPPeer
            do {
                let socket = try Socket.make(.tcp, for: .loopbackV4)
                #expect(Socket.connect(socket.raw, to: server.endpoint) == nil)
                peer = try server.accept()
                if isReset { Socket.resetOnClose(socket.raw) }
            }
            #expect(try peer.receiveToEnd().ending == (isReset ? .failed(.connectionReset) : .end))
        }
    }

    @Test(
        "Two routes of one command may not listen at one place, each by itself or at all addresses",
        arguments: [
            ("tcp:80", "127.0.0.1:80", true), ("tcp:80", "127.0.0.2:80", false), ("tcp:80", "127.0.0.1:81", false),
            ("udp:80", "127.0.0.1:80", false), ("tcp:80", "0.0.0.0:80", true), ("tcp:80", "[::]:80", false),
            ("tcp:81", "127.0.0.3:90", true), ("tcp:82", "127.0.0.1:0", false), ("tcp:83", "[::1]:91", true),
        ]
    )
    func refusesTwins(route: String, place: String, isTwin: Bool) throws {
        let routes = try ["tcp:80=h:1", "tcp:*:90=h:1", "tcp:[::1]:91=h:1"].map { try Route(parsing: $0) }
        func socket(_ text: String, _ route: Int, isWildcard: Bool = false) throws -> Listening {
            let endpoint = try #require(Endpoint(text))
            return Listening(descriptor: -1, endpoint: endpoint, route: route, isWildcard: isWildcard)
        }
        let sockets = [
            try socket("127.0.0.1:80", 0), try socket("0.0.0.0:90", 1, isWildcard: true), try socket("[::1]:91", 2),
        ]
        let (wanted, endpoint) = (try Route(parsing: route + "=h:1"), try #require(Endpoint(place)))
        var advice: String?
        do throws(SystemError) {
            try ListeningSockets.refuseTwins(wanted, at: endpoint, sockets, routes)
        } catch {
            advice = error.advice
            #expect(error.attempt == "listen on \(wanted.transport) \(endpoint)" && error.error.rawValue == EADDRINUSE)
        }
        #expect((advice != nil) == isTwin && advice?.hasSuffix(" of the same command listens there") ?? true)
    }

    // MARK: - Egress ports

    private static func prepare(
        _ raw: Int32,
        _ choice: EgressPort,
        client: Endpoint,
        to target: Endpoint
    ) -> (hasPort: Bool, wasTold: Bool) {
        var wasTold = false
        let hasPort = EgressBinding.prepare(raw, .tcp, choice, for: client, to: target) { wasTold = true }
        return (hasPort, wasTold)
    }

    @Test("The client's own port is taken where it is free, and its own address has it taken already")
    func samePorts() throws {
        let target = Endpoint(address: .loopbackV4, port: 9)
        let free = try LoopbackPort.free()
        let elsewhere = IPAddress(v4: 0x7F00_0002)
        let first = try Socket.make(.tcp, for: .loopbackV4)
        #expect(
            Self.prepare(first.raw, .same, client: Endpoint(address: elsewhere, port: free), to: target) == (
                true, false
            )
        )
        #expect(Socket.localEndpoint(first.raw) == Endpoint(address: .loopbackV4, port: free))
        #expect(Socket.get(SO_REUSEADDR, of: SOL_SOCKET, on: first.raw) == 1)
        let own = try Socket.make(.tcp, for: .loopbackV4)
        #expect(
            Self.prepare(own.raw, .same, client: Endpoint(address: .loopbackV4, port: free), to: target) == (
                false, true
            )
        )
        #expect(Socket.localEndpoint(own.raw) == nil)
        let taken = try TCPServer()
        let client = Endpoint(address: elsewhere, port: taken.endpoint.port)
        let second = try Socket.make(.tcp, for: .loopbackV4)
        #expect(Self.prepare(second.raw, .same, client: client, to: target) == (false, false))
        #expect(
            Socket.localEndpoint(second.raw) == nil && Socket.get(SO_REUSEADDR, of: SOL_SOCKET, on: second.raw) == 0
        )
        let none = try Socket.make(.tcp, for: .loopbackV4)
        #expect(Self.prepare(none.raw, .kernel, client: client, to: target) == (false, false))
        #expect(Socket.localEndpoint(none.raw) == nil)
        #expect(ErrorNumber(EADDRINUSE).isTakenPort && ErrorNumber(EADDRNOTAVAIL).isTakenPort)
        #expect(!ErrorNumber.connectionRefused.isTakenPort)
    }

    @Test("A range is kept to, from its low to its high end, and one outside the system's is refused")
    func ranges() throws {
        let system = try #require(HostPorts.range())
        try EgressPort.range(system).check()
        try EgressPort.kernel.check()
        let server = try UDPPeer()
        let target = try #require(server.local)
        var (ports, low): (Set<UInt16>, Int) = ([], system.low + 10 + Int(getpid()) % 1000 * 4)
        // Other programs may have both ports of a range.
        for _ in 0..<200 where ports.isEmpty {
            low += 2
            let range = PortRange(low, low + 1)
            try EgressPort.range(range).check()
            for _ in 0..<20 {
                let socket = try Socket.make(.udp, for: .loopbackV4)
                #expect(Self.prepare(socket.raw, .range(range), client: target, to: target) == (false, false))
                guard Socket.connect(socket.raw, to: target) == nil else { continue }
                ports.insert(try #require(Socket.localEndpoint(socket.raw)).port)
            }
        }
        #expect(ports.isSubset(of: [UInt16(low), UInt16(low + 1)]) && !ports.isEmpty)
        for (from, to) in [(system.low - 1, system.low), (system.high, system.high + 1)] {
            let outside = PortRange(from, to)
            let error = #expect(throws: SystemError.self) { try EgressPort.range(outside).check() }
            #expect(error?.error.rawValue == ERANGE && error?.attempt == "take ports from \(outside)")
            #expect(error?.advice?.hasSuffix("net.ipv4.ip_local_port_range, which is \(system)") == true)
        }
    }

    // MARK: - The host's ports

    @Test("The sockets of this host are listed with their ends and states")
    func lists() throws {
        let server = try TCPServer()
        let client = try TCPPeer(to: server.endpoint)
        let peer = try server.accept()
        let datagrams = try UDPPeer()
        let local = try #require(client.local)
        let sockets = try HostPorts().sockets()
        let listening = sockets.filter { $0.local == server.endpoint && $0.transport == .tcp }
        #expect(listening.count { $0.state == .listen } == 1)
        let ends = sockets.filter { $0.local == local && $0.remote == server.endpoint }
        #expect(ends.map(\.state) == [.established] && ends.map(\.transport) == [.tcp])
        #expect(sockets.contains { $0.local == server.endpoint && $0.remote == local && $0.state == .established })
        #expect(sockets.contains { $0.transport == .udp && $0.local == datagrams.local })
        withExtendedLifetime((peer, datagrams)) {}
    }
}
