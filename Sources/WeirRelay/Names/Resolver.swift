import CWeir
import Glibc
import WeirEngine
public import WeirWire

/// The error of a host name without a usable address.
public struct ResolveError: Error, Hashable, CustomStringConvertible {
    /// The name.
    public var name: String
    /// The reason, in the resolver's words.
    public var reason: String

    /// The error in one line.
    public var description: String { "cannot resolve '\(name)': \(reason)" }
}

/// A choice among a name's addresses.
public enum AddressFamily: Hashable, Sendable {
    /// IPv4 alone.
    case v4
    /// IPv6 alone.
    case v6
}

/// A function that turns a host into its endpoints, at least one.
typealias Resolve = @Sendable (HostPort, AddressFamily?) throws(ResolveError) -> [Endpoint]

/// The resolver of hosts, which returns endpoints in the order of `getaddrinfo`.
public enum Resolver {
    /// Resolves a host; for a name it blocks as long as the system's resolver does.
    ///
    /// - Parameters:
    ///   - target: the host and port.
    ///   - family: the family of the addresses to use; if nil, both.
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

    /// Reads the answer of `getaddrinfo`: each address once, in its order.
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

extension Resolver {
    /// Resolves the names among some hosts, all at the same time: each may take as long as the system's resolver does.
    static func resolveNames(
        _ hosts: [HostPort],
        _ resolve: @escaping Resolve,
        family: AddressFamily?
    ) async -> [HostPort: Result<[Endpoint], ResolveError>] {
        await withTaskGroup(of: (HostPort, Result<[Endpoint], ResolveError>).self) { group in
            for host in Set(hosts) {
                guard case .name = host.host else { continue }
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let lookUp: @Sendable () -> Void = {
                            let answer = Result { () throws(ResolveError) in try resolve(host, family) }
                            continuation.resume(returning: (host, answer))
                        }
                        // Swift's own threads must not wait.
                        do { try startThread(named: "weir-resolve", lookUp) } catch { lookUp() }
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}

/// The addresses of one route's target, whose name is resolved again when the answer is old.
final class Target: Sendable {
    private struct State {
        var endpoints: [Endpoint]
        var resolvedAt: Instant
        /// Whether connections to the addresses were refused, or timed out, since they were looked up.
        var isDoubtful = false
        /// Whether a look-up has found an address, if only one of the relay's own listeners.
        var isResolved = true
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

    /// The minimum interval between look-ups that are caused by doubt alone.
    private static let doubtInterval = Duration.milliseconds(100)

    /// Resolves the target for the first time, unless the answer is given; if it has no address yet, each flow looks it up
    /// again.
    init(
        _ host: HostPort,
        over transport: Transport,
        own: OwnListeners = OwnListeners(),
        family: AddressFamily?,
        lifetime: Duration = .seconds(30),
        resolve: @escaping Resolve = Resolver.resolve,
        names: ResolvedNames = ResolvedNames(),
        first: Result<[Endpoint], ResolveError>? = nil,
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
            endpoints = try first?.get() ?? resolve(host, family)
            if case .name(let name) = host.host { names.add(name, endpoints) }
        } catch {
            report("\(error); it is looked up again for each client, and refused until it has an address")
        }
        let isResolved = !endpoints.isEmpty
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant(), isResolved: isResolved))
    }

    /// Makes a target whose name is resolved when a flow needs it, and again for each flow until it has an address.
    ///
    /// - Parameters:
    ///   - host: the host and port.
    ///   - configuration: the relay's configuration, with the choice among the addresses.
    ///   - report: called with one line for the user.
    ///   - isOwn: returns whether a flow to an endpoint would come back to its own listener.
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
        if case .address(let address) = host.host {
            let endpoint = Endpoint(address: address, port: host.port)
            if !isOwn(endpoint) { endpoints = [endpoint] }
        }
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant()))
    }

    /// The addresses of the last look-up.
    var endpoints: [Endpoint] { state.withLock { $0.endpoints } }

    /// The error of a flow for which there is no further address.
    var refusal: ErrorNumber { state.withLock { $0.isResolved ? .connectionRefused : .nameNotResolved } }

    /// Returns the addresses, or nil if they are old: then another thread looks them up, and calls `answer`.
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

    /// Reports how often a problem repeated since it was last reported; call it at the end.
    func tellRest() { report.tellRest() }

    /// Makes the next flow look up the name again, because its addresses refused or timed out, and it may have moved.
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
            state.isResolved = endpoints != nil || !state.endpoints.isEmpty
            state.resolvedAt = SystemClock.instant()
            state.isDoubtful = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }
}
