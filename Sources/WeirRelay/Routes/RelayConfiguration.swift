public import WeirEngine
public import WeirWire

/// The configuration of a relay at its start.
public struct RelayConfiguration: Sendable {
    /// The routes to serve.
    public var routes: [Route]
    /// The number of event loops; each flow lives on one of them.
    public var threads = 1
    /// The maximum number of TCP flows at once.
    public var maxFlows = 10_000
    /// The maximum number of UDP sessions at once.
    public var maxSessions = 10_000
    /// The time limit for reaching a server.
    public var connectTimeout: Duration = .seconds(10)
    /// The time after which a target's name is looked up again, by the next flow.
    public var nameLifetime: Duration = .seconds(30)
    /// The time without a byte after which the kernel probes a TCP peer, on both legs; if nil, it never does.
    public var keepalive: Duration? = .seconds(60)
    /// The time after which a TCP flow ends if nothing moved; if nil, it never does.
    public var idleTimeout: Duration?
    /// The time after which a UDP session ends if nothing moved.
    public var udpTimeout: Duration = .seconds(60)
    /// Whether a datagram that reaches a session from another endpoint than its server is relayed to the client.
    ///
    /// If not, it is dropped, and a `dropped` record has its source: anyone may have sent such a datagram, and a
    /// connected socket would not receive it either. Some protocols need it: a TFTP server answers from a new port, to
    /// which the client's further datagrams must go (RFC 1350 section 4). They do, if that port is of the server's own
    /// address.
    public var takesAnySource = false
    /// The maximum number of unmatched bytes that echo detection keeps for a flow; 0 turns it off.
    public var echoWindow = 1 << 20
    /// Whether every downstream byte that is no echo is a fault, and counts in `Supervisor.mismatches`.
    public var expectsEcho = false
    /// The endpoints of the control API; no route may lead to them.
    public var adminEndpoints: [Endpoint] = []
    /// Whether to reserve room for routes that are added later, TCP and UDP, and for the clients of the control API.
    public var takesRoutes = false
    /// The toxics that each route has from the start, by the route's place; more can be added while the relay serves.
    public var toxics: [Int: [ToxicConfiguration]] = [:]
    /// The seed of all toxics' randomness: the same seed and the same traffic give the same faults.
    public var seed: UInt64 = 0
    /// The family of a target name's addresses that are used; if nil, all are.
    public var family: AddressFamily?

    /// The port from which servers are dialed.
    public var egressPort = EgressPort.kernel
    /// The finder of the processes of clients on this machine; nil if nothing shows them.
    public var processes: ClientProcesses?
    #if TLS
    /// What flows with TLS share; needed by routes with TLS.
    public var tls: TLSServices?
    /// Makes it for the first route with TLS that is added later; nil if there can be none.
    public var makeTLS: (@Sendable () throws(TLSServicesError) -> TLSServices)?
    #endif
    /// The processes of a watched program, whose flows need no search.
    var watched: WatchedProcesses?

    /// Called on an event loop's thread if that loop cannot continue: its flows have ended, and it serves no more.
    public var whenLoopFails: @Sendable (SystemError) -> Void = { _ in }

    /// The names of the targets, by the addresses to which they resolved.
    public let names = ResolvedNames()

    /// The maximum number of bytes that wait for one output.
    var sinkBound = 64 << 20
    /// The maximum number of bytes that all flows of a loop keep for echoes.
    var echoBound = 64 << 20
    /// The receive buffer to request from the kernel for a listening UDP socket, in bytes.
    var receiveBuffer: Int32 = 4 << 20
    /// The resolver of hosts; tests replace it.
    var resolve: Resolve = Resolver.resolve

    /// Makes a configuration with the defaults.
    public init(routes: [Route]) {
        self.routes = routes
    }

    func toxicSets() throws(ToxicError) -> [ToxicSet] {
        if let route = toxics.keys.first(where: { !routes.indices.contains($0) }) { throw .unknownRoute(route) }
        var sets: [ToxicSet] = []
        for (index, route) in routes.enumerated() {
            sets.append(try ToxicSet(toxics[index] ?? [], for: route.transport))
        }
        return sets
    }

    func settings(for transport: Transport, recordsChunks: Bool, showsEchoes: Bool) -> FlowSettings {
        var settings = FlowSettings()
        settings.connectTimeout = connectTimeout
        settings.idleTimeout = transport == .tcp ? idleTimeout : udpTimeout
        settings.echoWindow = showsEchoes || expectsEcho ? echoWindow : 0
        settings.expectsEcho = expectsEcho
        settings.recordsChunks = recordsChunks
        return settings
    }
}
