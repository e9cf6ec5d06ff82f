public import WeirFlow
public import WeirWire

/// Holds what a relay is told at its start.
public struct RelayConfiguration: Sendable {
    /// Lists what to serve.
    public var routes: [Route]
    /// Counts the event loops; a flow lives on one of them.
    public var threads = 1
    /// Bounds the TCP flows at once.
    public var maxFlows = 10_000
    /// Bounds the UDP sessions at once.
    public var maxSessions = 10_000
    /// Bounds the time to reach a server.
    public var connectTimeout: Duration = .seconds(10)
    /// The time after which a target's name is looked up again, by the next flow.
    public var nameLifetime: Duration = .seconds(30)
    /// The time without a byte after which the kernel asks a TCP peer whether it is still there, on both legs; nil never does.
    public var keepalive: Duration? = .seconds(60)
    /// Ends a TCP flow on which nothing moved for so long; nil never does.
    public var idleTimeout: Duration?
    /// Ends a UDP session on which nothing moved for so long.
    public var udpTimeout: Duration = .seconds(60)
    /// Whether a datagram that reaches a session from another endpoint than its server goes on to the client.
    ///
    /// If not, it is dropped, and a `dropped` record names its source: such a datagram may be anybody's, and a connected
    /// socket would not let it in either. Some protocols need it: a TFTP server answers from a new port, to which the
    /// client's further datagrams must go (RFC 1350 section 4). They do, if that port is of the server's own address.
    public var takesAnySource = false
    /// Bounds the unmatched bytes that echo detection keeps for a flow; 0 turns it off.
    public var echoWindow = 1 << 20
    /// Takes every downstream byte that is no echo for a fault, and counts it: `Supervisor.mismatches`.
    public var expectsEcho = false
    /// Serves the control API here: no route may lead to it.
    public var adminEndpoints: [Endpoint] = []
    /// Keeps room for routes that come later, TCP's and UDP's, and for the clients of the control API.
    public var takesRoutes = false
    /// Lists the toxics that each route has from the start, by the route's place; more may come while it serves.
    public var toxics: [Int: [ToxicConfiguration]] = [:]
    /// Is the seed of all toxics' randomness: the same seed and the same traffic give the same faults.
    public var seed: UInt64 = 0
    /// Chooses among a target name's addresses; nil takes all.
    public var family: AddressFamily?

    /// Says which port servers are dialed from.
    public var egressPort = EgressPort.kernel
    /// Finds the processes behind the clients of this machine; nil where nobody wants to know.
    public var processes: ClientProcesses?

    /// Called if an event loop cannot go on, on its thread: its flows have ended, and it serves no more.
    public var whenLoopFails: @Sendable (SystemError) -> Void = { _ in }

    /// Remembers what the targets' names were resolved to.
    public let names = ResolvedNames()

    /// Bounds the bytes that wait for one output.
    var sinkBound = 64 << 20
    /// Is asked of the kernel for the datagrams that wait at a listening socket, in bytes.
    var receiveBuffer: Int32 = 4 << 20
    /// Turns hosts into endpoints; tests bring their own names.
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
