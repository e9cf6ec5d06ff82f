import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The relay's own listeners")
struct OwnListenersTests {
    private static func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

    private static func listeners() throws -> OwnListeners {
        let own = OwnListeners()
        own.add(.tcp, try endpoint("127.0.0.1:1"), of: .route(1))
        own.add(.tcp, try endpoint("0.0.0.0:2"), of: .route(2))
        own.add(.udp, try endpoint("127.0.0.1:3"), of: .route(3))
        own.add(.tcp, try endpoint("[::1]:4"), of: .admin)
        own.add(.tcp, try endpoint("[::]:5"), of: .route(5))
        own.add(.tcp, try endpoint("127.0.0.1:2"), of: .route(6))
        return own
    }

    @Test(
        "An endpoint leads to the listener at that address, or at all addresses if it is this machine's",
        arguments: [
            (.tcp, "127.0.0.1:1", .route(1)), (.tcp, "127.0.0.2:1", nil), (.tcp, "127.0.0.1:9", nil),
            (.udp, "127.0.0.1:1", nil), (.tcp, "0.0.0.0:1", .route(1)), (.tcp, "[::ffff:127.0.0.1]:1", .route(1)),
            (.tcp, "[::1]:1", nil), (.tcp, "127.0.0.1:2", .route(6)), (.tcp, "127.0.0.2:2", .route(2)),
            (.tcp, "192.0.2.1:2", nil), (.udp, "127.0.0.1:3", .route(3)), (.tcp, "127.0.0.1:3", nil),
            (.tcp, "[::1]:4", .admin), (.tcp, "[::]:4", .admin), (.tcp, "127.0.0.1:4", nil),
            (.tcp, "[::1]:5", .route(5)),
            (.tcp, "127.0.0.1:5", nil), (.tcp, "[2001:db8::1]:5", nil),
        ] as [(Transport, String, OwnListeners.Owner?)]
    )
    func finds(transport: Transport, text: String, owner: OwnListeners.Owner?) throws {
        let (own, endpoint) = (try Self.listeners(), try Self.endpoint(text))
        #expect(own.owner(transport, endpoint) == owner && own.contains(transport, endpoint) == (owner != nil))
    }

    @Test("A port is one of a transport, at whatever address")
    func ports() throws {
        let own = try Self.listeners()
        #expect((1...6).map { own.hasPort(.tcp, $0) } == [true, true, false, true, true, false])
        #expect((1...6).map { own.hasPort(.udp, $0) } == [false, false, true, false, false, false])
    }

    @Test("One that is removed or replaced leaves the others")
    func changes() throws {
        let own = try Self.listeners()
        let new = try Self.endpoint("127.0.0.1:7")
        let other = own.replacing(.route(2), .tcp, [new])
        #expect(try other.owner(.tcp, new) == .route(2) && !other.contains(.tcp, Self.endpoint("127.0.0.2:2")))
        #expect(other.owner(.tcp, try Self.endpoint("127.0.0.1:1")) == .route(1))
        #expect(own.owner(.tcp, try Self.endpoint("127.0.0.2:2")) == .route(2))
        #expect(!own.contains(.tcp, new))
        own.remove(.route(1))
        #expect(try !own.contains(.tcp, Self.endpoint("127.0.0.1:1")) && own.hasPort(.tcp, 2) && own.hasPort(.udp, 3))
    }

    // MARK: - Wiring

    private static func wiring(_ routes: [String]) throws -> Wiring {
        let own = OwnListeners()
        own.add(.tcp, try endpoint("127.0.0.1:9999"), of: .admin)
        var served: [RouteStatus] = []
        for (number, text) in routes.enumerated() {
            let route = try Route(parsing: text)
            let endpoints = try Resolver.resolve(route.listen, family: nil)
            for endpoint in endpoints { own.add(route.transport, endpoint, of: .route(number)) }
            served.append(RouteStatus(name: "\(number)", number: number, route: route, endpoints: endpoints))
        }
        return Wiring(own, served, RelayConfiguration(routes: []))
    }

    private static func check(_ wiring: Wiring, _ number: Int, _ text: String) throws -> String {
        let route = try Route(parsing: text)
        do throws(RouteChangeError) {
            try wiring.check(number, route, at: wiring.endpoints(of: route))
            return "none"
        } catch {
            switch error {
            case .loop(let error): return "loop \(error.endpoint) of \(error.route)"
            case .admin(let endpoint): return "admin \(endpoint)"
            default: return "\(error)"
            }
        }
    }

    @Test("A route that comes back to itself, also through others, or reaches the control API, is refused")
    func wirings() throws {
        let wiring = try Self.wiring(["tcp:1001=127.0.0.1:1002", "tcp:1002=localhost:1003", "udp:1004=127.0.0.1:1005"])
        #expect(try Self.check(wiring, 9, "tcp:1010=127.0.0.1:1011") == "none")
        let own = "tcp:1010=127.0.0.1:1010"
        #expect(try Self.check(wiring, 9, own) == "loop 127.0.0.1:1010 of \(own)")
        let through = "tcp:1003=localhost:1001"
        #expect(try Self.check(wiring, 9, through) == "loop 127.0.0.1:1003 of \(through)")
        #expect(try Self.check(wiring, 9, "tcp:1010=127.0.0.1:1001") == "none")
        #expect(try Self.check(wiring, 9, "tcp:1010=127.0.0.1:9999") == "admin 127.0.0.1:9999")
        #expect(try Self.check(wiring, 9, "udp:1010=127.0.0.1:9999") == "none")
        #expect(try Self.check(wiring, 9, "udp:1005=127.0.0.1:1004").hasPrefix("loop 127.0.0.1:1005"))
        #expect(try Self.check(wiring, 9, "tcp:1010=no-such-host.invalid:1001") == "none")
        // Where it moves away, what it had is free.
        #expect(try Self.check(wiring, 0, "tcp:1020=127.0.0.1:1001") == "none")
        #expect(try Self.check(wiring, 1, "tcp:1002=127.0.0.1:1001").hasPrefix("loop 127.0.0.1:1002"))
    }

    @Test("A change may be tried, and has no port that only the kernel knows")
    func tries() throws {
        var wiring = try Self.wiring(["tcp:1001=127.0.0.1:1002"])
        let back = "tcp:1003=127.0.0.1:1001"
        #expect(try Self.check(wiring, 9, back) == "none")
        let route = try Route(parsing: "tcp:1001=127.0.0.1:1003")
        wiring.put(0, route, at: wiring.endpoints(of: route))
        #expect(try Self.check(wiring, 9, back).hasPrefix("loop 127.0.0.1:1003"))
        wiring.put(0, route, at: [])
        #expect(try Self.check(wiring, 9, back) == "none")
        #expect(wiring.endpoints(of: try Route(parsing: "tcp:0=127.0.0.1:1")).isEmpty)
        #expect(wiring.endpoints(of: try Route(parsing: "tcp:1=127.0.0.1:1")) == [try Self.endpoint("127.0.0.1:1")])
    }

    // MARK: - The routes at the start

    @Test("Routes are named by their transport and port, with a number where two would have one name")
    func names() throws {
        let routes = try ["tcp:0=h:1", "udp:0=h:1", "tcp:*:80=h:1", "tcp:127.0.0.2:80=h:1", "tcp:127.0.0.3:80=h:1"]
            .map { try Route(parsing: $0) }
        func socket(_ text: String, _ route: Int) throws -> Listening {
            Listening(descriptor: -1, endpoint: try Self.endpoint(text), route: route, isWildcard: false)
        }
        let sockets = [
            try socket("127.0.0.1:4001", 0), try socket("127.0.0.1:4001", 1), try socket("127.0.0.1:4001", 1),
            try socket("0.0.0.0:80", 2), try socket("[::]:80", 2), try socket("127.0.0.2:80", 3),
        ]
        let named = RouteStatus.named(routes, sockets, Array(repeating: .none, count: 5))
        let list = RouteStatus.list(named)
        #expect(list.map(\.name) == ["tcp-4001", "tcp-80", "tcp-80-2", "tcp-80-3", "udp-4001"])
        #expect(list.map(\.number) == [0, 2, 3, 4, 1] && list.map(\.endpoints.count) == [1, 2, 1, 0, 1])
        #expect(list.map(\.isEnabled) == [true, true, true, false, true])
        // A port that the kernel chose is the route's from then on.
        #expect(list[0].route.listen.port == 4001 && list[1].route.listen.port == 80)
    }
}
