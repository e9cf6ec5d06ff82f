import CWeir
import Glibc
import WeirFlow
public import WeirWire

/// Says that a host's name has no usable address.
public struct ResolveError: Error, Hashable, CustomStringConvertible {
    /// Holds the name.
    public var name: String
    /// Says why, in the resolver's words.
    public var reason: String

    /// Says it in one line.
    public var description: String { "cannot resolve '\(name)': \(reason)" }
}

/// Chooses among a name's addresses.
public enum AddressFamily: Hashable, Sendable {
    /// IPv4 alone.
    case v4
    /// IPv6 alone.
    case v6
}

/// Turns a host into its endpoints, at least one.
typealias Resolve = @Sendable (HostPort, AddressFamily?) throws(ResolveError) -> [Endpoint]

/// Turns hosts into endpoints, in the order of `getaddrinfo`.
public enum Resolver {
    /// Resolves a host; blocks, for a name, as long as the system's resolver does.
    ///
    /// - Parameters:
    ///   - target: the host and port.
    ///   - family: which addresses to take; nil takes all.
    /// - Returns: at least one endpoint.
    /// - Throws: `ResolveError` for a name with no address of that family.
    public static func resolve(_ target: HostPort, family: AddressFamily?) throws(ResolveError) -> [Endpoint] {
        switch target.host {
        case .loopbackByDefault: return [Endpoint(address: .loopbackV4, port: target.port)]
        case .any: return [.init(address: .anyV4, port: target.port), .init(address: .anyV6, port: target.port)]
        case .address(let address): return [Endpoint(address: address, port: target.port)]
        case .name(let name): return try resolve(name, port: target.port, family: family)
        }
    }

    private static func resolve(
        _ name: String,
        port: UInt16,
        family: AddressFamily?
    ) throws(ResolveError) -> [Endpoint] {
        var hints = addrinfo()
        hints.ai_family =
            switch family {
            case .v4: AF_INET
            case .v6: AF_INET6
            case nil: AF_UNSPEC
            }
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else { throw ResolveError(name: name, reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        let endpoints = endpoints(list, port: port)
        guard !endpoints.isEmpty else { throw ResolveError(name: name, reason: "it has no IP address") }
        return endpoints
    }

    /// Reads what `getaddrinfo` answers: each address once, in its order.
    static func endpoints(_ list: UnsafeMutablePointer<addrinfo>?, port: UInt16) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let raw = entry.pointee.ai_addr else { continue }
            var storage = sockaddr_storage()
            memcpy(&storage, raw, min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size))
            guard var endpoint = SocketAddress.endpoint(&storage) else { continue }
            endpoint.port = port
            if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        return endpoints
    }
}

/// Keeps the addresses of one route's target, and resolves its name again when the answer is old.
final class Target: Sendable {
    private struct State {
        var endpoints: [Endpoint]
        var resolvedAt: Instant
        /// Whether the addresses refused, or did not answer, since they were looked up.
        var isDoubtful = false
        var waiting: [@Sendable () -> Void] = []
    }

    private let host: HostPort
    private let isOwn: @Sendable (Endpoint) -> Bool
    private let family: AddressFamily?
    private let lifetime: Duration
    private let resolve: Resolve
    private let names: ResolvedNames
    private let report: RepeatedReport
    private let state: Lock<State>

    /// Look-ups for doubt's sake alone are at least so far apart.
    private static let doubtInterval = Duration.milliseconds(100)

    /// Resolves the target for the first time; one that has no address yet is looked up again for each flow.
    init(
        _ host: HostPort,
        over transport: Transport,
        own: OwnListeners = OwnListeners(),
        family: AddressFamily?,
        lifetime: Duration = .seconds(30),
        resolve: @escaping Resolve = Resolver.resolve,
        names: ResolvedNames = ResolvedNames(),
        clock: @escaping @Sendable () -> Instant = { SystemClock.instant() },
        report: @escaping @Sendable (String) -> Void
    ) {
        self.host = host
        isOwn = { own.contains(transport, $0) }
        self.family = family
        self.lifetime = lifetime
        self.resolve = resolve
        self.names = names
        self.report = RepeatedReport(clock: clock, report)
        var endpoints: [Endpoint] = []
        do {
            endpoints = try resolve(host, family)
            if case .name(let name) = host.host { names.add(name, endpoints) }
        } catch {
            report("\(error); it is looked up again for each client, and refused until it has an address")
        }
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant()))
    }

    /// Takes a target whose name is resolved when a flow asks for it, and again for each flow until it has an address.
    ///
    /// - Parameters:
    ///   - host: the host and port.
    ///   - configuration: chooses among the addresses.
    ///   - report: is told what a user should know.
    ///   - isOwn: says whether a flow to an endpoint would come back to where it began.
    init(
        later host: HostPort,
        _ configuration: RelayConfiguration,
        report: @escaping @Sendable (String) -> Void,
        isOwn: @escaping @Sendable (Endpoint) -> Bool
    ) {
        self.host = host
        self.isOwn = isOwn
        family = configuration.family
        lifetime = configuration.nameLifetime
        resolve = configuration.resolve
        names = configuration.names
        self.report = RepeatedReport(report)
        var endpoints: [Endpoint] = []
        if case .address(let address) = host.host { endpoints = [Endpoint(address: address, port: host.port)] }
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant()))
    }

    /// Returns the addresses that were found last.
    var endpoints: [Endpoint] { state.withLock { $0.endpoints } }

    /// Returns the addresses; nil says that they are old, are looked up on another thread, and `answer` follows.
    func endpoints(at now: Instant, orAfter answer: @escaping @Sendable () -> Void) -> [Endpoint]? {
        guard case .name = host.host else { return endpoints }
        let (endpoints, starts) = state.withLock { state -> ([Endpoint]?, Bool) in
            let isOld = state.endpoints.isEmpty || state.isDoubtful || state.resolvedAt.duration(to: now) > lifetime
            guard isOld else { return (state.endpoints, false) }
            state.waiting.append(answer)
            return (nil, state.waiting.count == 1)
        }
        if starts { refresh() }
        return endpoints
    }

    /// Tells at the end how often something was wrong since it was told last.
    func tellRest() { report.tellRest() }

    /// Lets the next flow look the name up again: its addresses refused, or did not answer, and it may have moved.
    func doubt() {
        guard case .name = host.host else { return }
        let now = SystemClock.instant()
        state.withLock { if $0.resolvedAt.duration(to: now) >= Self.doubtInterval { $0.isDoubtful = true } }
    }

    private func refresh() {
        do {
            try startThread(named: "weir-resolve") { self.resolveAgain() }
        } catch {
            report.tell("\(error); the last addresses of \(host) are used")
            answer(nil)
        }
    }

    private func resolveAgain() {
        do {
            let endpoints = try resolve(host, family)
            if case .name(let name) = host.host { names.add(name, endpoints) }
            let others = endpoints.filter { !isOwn($0) }
            if others.count < endpoints.count {
                report.tell("'\(host)' is an address of this relay's own listeners now, which is not dialed")
            }
            answer(others)
        } catch {
            let hasAddress = !endpoints.isEmpty
            report.tell("\(error); \(hasAddress ? "its last addresses are used" : "the client is refused")")
            answer(nil)
        }
    }

    private func answer(_ endpoints: [Endpoint]?) {
        let waiting = state.withLock { state in
            if let endpoints { state.endpoints = endpoints }
            state.resolvedAt = SystemClock.instant()
            state.isDoubtful = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }
}
