import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The ports whose clients are relayed (`--serve`), and the calls of `accept` that wait for clients.
///
/// The program's own sockets listen there: so errors, refusals, backlogs and shared ports are the kernel's own. Weir only accepts in
/// the program's place, and gives it an end of a connection to Weir.
final class ServedSockets {
    /// A call of `accept` that waits.
    struct Waiting {
        var call: WatchedCall
        var flags: Int32
        /// The listening socket.
        var cookie: UInt64
        /// The end of the call's patience (`SO_RCVTIMEO`).
        var deadline: Instant?
    }

    /// A connection for the program, accepted by Weir.
    struct Accepted {
        var descriptor: HeldDescriptor
        /// The client, as the program is told.
        var client: Endpoint
    }

    private static let interval = Duration.seconds(1)

    var ports: [UInt16: ServedPort]
    private let asked: [UInt16]
    var waiting: [Waiting] = []
    /// The listening sockets of which epoll reports new clients.
    var watched: Set<UInt64> = []
    /// The connections that a signal kept from the program, by the listening socket; its next `accept` gets them.
    var undelivered: [UInt64: [Accepted]] = [:]
    /// The endpoints at which the program has listened.
    private var announced: Set<Endpoint> = []
    private let announce: @Sendable (Listener) -> Void
    private var swept = SystemClock.instant()

    /// Makes a route for each port.
    init(_ settings: WatchSettings, _ relay: Supervisor) throws(SystemError) {
        announce = settings.whenListening
        var ports: [UInt16: ServedPort] = [:]
        for port in settings.servedPorts { ports[port] = try ServedPort.make(port, relay) }
        (self.ports, asked) = (ports, settings.servedPorts.sorted())
    }

    /// Returns whether a destination is a served port of this machine: the server's side relays its connections.
    func contains(_ destination: Endpoint) -> Bool {
        guard ports[destination.port] != nil else { return false }
        let address = destination.address.unmapped
        return address.isUnspecified || address.isLoopback || OwnListeners.isLocal(address)
    }

    /// Reports an endpoint at which the program listens, once.
    func listens(at endpoint: Endpoint, _ port: ServedPort) {
        guard announced.insert(endpoint).inserted else { return }
        let server = port.listener(isV6: !endpoint.address.isV4) ?? port.v4
        announce(Listener(transport: .tcp, endpoint: endpoint, target: HostPort(server.endpoint)))
    }

    /// Reports the ports on which no program has listened.
    func reportUnused(_ report: (String) -> Void) {
        let used = Set(announced.map(\.port))
        for port in asked where !used.contains(port) {
            report("--serve \(port): the command has not listened on TCP port \(port)")
        }
    }

    /// Whether a call waits that must end at its time.
    var hasDeadlines: Bool { waiting.contains { $0.deadline != nil } }

    /// Returns whether it is time to look at the sockets of calls that wait, and closes the connections for listening sockets that
    /// no longer exist.
    func looks(at now: Instant) -> Bool {
        guard hasWork, swept.duration(to: now) >= Self.interval else { return false }
        swept = now
        guard !undelivered.isEmpty, let living = LivingSockets.cookies([.tcp]) else { return true }
        undelivered = undelivered.filter { living.contains($0.key) }
        return true
    }

    /// Whether there is anything to look at from time to time.
    var hasWork: Bool { !waiting.isEmpty || !undelivered.isEmpty }
}

/// A port whose clients are relayed.
final class ServedPort {
    /// The number of its route.
    let route: Int
    /// Where Weir connects to itself for a server over IPv4.
    let v4: PrivateListener
    /// The same over IPv6; nil until it is needed, or if the machine has none.
    private lazy var v6 = (try? PrivateListener(.loopbackV6)) ?? (try? PrivateListener(Self.mappedLoopback))

    private static var mappedLoopback: IPAddress { Endpoint(address: .loopbackV4, port: 0).mapped.address }

    private init(_ v4: PrivateListener, route: Int) { (self.v4, self.route) = (v4, route) }

    /// Makes the route of a port; nil if the relay ends already, as the command has ended.
    fileprivate static func make(_ port: UInt16, _ relay: Supervisor) throws(SystemError) -> ServedPort? {
        let v4 = try PrivateListener(.loopbackV4)
        let route = Route(.tcp, listen: HostPort(.any, port), target: HostPort(v4.endpoint))
        let number = Blocking.wait { try? await relay.addDestination(route, named: "serve-\(port)") }
        return number.map { ServedPort(v4, route: $0) }
    }

    /// Returns the listener whose connections have the family of a socket.
    func listener(isV6: Bool) -> PrivateListener? { isV6 ? v6 : v4 }
}
