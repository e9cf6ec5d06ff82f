import WeirEngine
import WeirRelay
import WeirWire

/// The relay's routes as Toxiproxy's clients know them: proxies, each with a name and with toxics.
final class ProxyBook: Sendable {
    /// The client's spelling of a proxy's values; its route has their meaning.
    struct Entry: Sendable {
        /// The endpoint on which it is to listen, until it has listened for the first time.
        var listen: String?
        var upstream: String?
        /// The stream of each toxic, in any case.
        var streams: [String: String] = [:]
    }

    /// A change of a proxy that a client wants.
    struct Wanted: Sendable {
        /// The new endpoints; nil if both stay as they are.
        var route: Route?
        var isEnabled: Bool?
        /// The spelling of a new endpoint to listen on, and of a new upstream.
        var listen: String?
        var upstream: String?
    }

    /// The description of a proxy.
    struct Proxy: Sendable {
        var name: String
        var listen: String
        var upstream: String
        var isEnabled: Bool
        var toxics: [JSONValue]

        var json: JSONValue {
            [
                "name": .string(name), "listen": .string(listen), "upstream": .string(upstream),
                "enabled": .bool(isEnabled),
                // Toxiproxy shows this by accident, and clients may depend on it.
                "Logger": [:],
                "toxics": .array(toxics),
            ]
        }
    }

    let relay: Supervisor
    private let report: @Sendable (String) -> Void
    /// A mutex that passes one change at a time; reads do not wait.
    let mutex = AsyncMutex()
    private let entries = Lock([String: Entry]())

    init(_ relay: Supervisor, report: @escaping @Sendable (String) -> Void) {
        self.relay = relay
        self.report = report
    }

    // MARK: - Proxies

    /// Returns all proxies, in the order of their names.
    func all() -> [Proxy] { relay.routes.map(describe) }

    func proxy(_ name: String) throws(ToxiproxyError) -> Proxy { describe(try route(name)) }

    /// Creates a proxy.
    func create(_ body: [UInt8]) async throws -> Proxy {
        let input = try ProxyInput(body)
        let name = try input.string("name") ?? ""
        let listen = try input.string("listen") ?? ""
        let upstream = try input.string("upstream") ?? ""
        let isEnabled = try input.bool("enabled") ?? true
        guard !name.isEmpty else { throw ToxiproxyError.missing("name") }
        guard !upstream.isEmpty else { throw ToxiproxyError.missing("upstream") }
        return try await mutex.pass { try await self.add(name, listen, upstream, isEnabled) }
    }

    func add(_ name: String, _ listen: String, _ upstream: String, _ isEnabled: Bool) async throws -> Proxy {
        guard relay.route(named: name) == nil else { throw ToxiproxyError.proxyExists }
        let route = try await self.route(from: listen, to: upstream)
        let status = try await translating(route) { try await self.relay.add(route, named: name, isEnabled: isEnabled) }
        entries.withLock { $0[name] = Entry(listen: status.isEnabled ? nil : listen, upstream: upstream) }
        warn(of: status)
        return describe(status)
    }

    /// Warns that a proxy accepts clients from everywhere, each time that it begins to.
    private func warn(of status: RouteStatus, after before: RouteStatus? = nil) {
        func isOpen(_ status: RouteStatus) -> Bool {
            status.isEnabled && status.endpoints.contains(where: \.address.isUnspecified)
        }
        guard isOpen(status), !(before.map { isOpen($0) && $0.endpoints == status.endpoints } ?? false) else { return }
        report(
            "warning: proxy '\(SafeText.escaped(status.name))' listens on every address of this machine, open to every "
                + "network that it is on"
        )
    }

    /// Changes a proxy.
    func update(_ name: String, _ body: [UInt8]) async throws -> Proxy {
        try await mutex.pass {
            let status = try self.route(name)
            let input = try ProxyInput(body)
            let (listen, upstream) = (try input.string("listen"), try input.string("upstream"))
            let isEnabled = try input.bool("enabled")
            var wanted = try await self.wanted(status, listen, upstream)
            wanted.isEnabled = isEnabled
            return try await self.change(status, wanted)
        }
    }

    /// Returns what to change about a proxy; a value with the same meaning stays as it is, even in its spelling.
    func wanted(_ status: RouteStatus, _ listen: String?, _ upstream: String?) async throws -> Wanted {
        let now = describe(status)
        var (wanted, route) = (Wanted(), status.route)
        if let listen, listen != now.listen {
            let there = try await self.route(from: listen, to: upstream ?? now.upstream)
            if !status.listens(there) {
                (route.transport, route.listen, route.security) = (there.transport, there.listen, there.security)
                wanted.listen = listen
            }
        }
        if let upstream, upstream != now.upstream {
            let (target, layer) = try Self.target(upstream)
            (route.target, route.security.server, wanted.upstream) = (target, layer ?? route.security.client, upstream)
        }
        if wanted.listen != nil || wanted.upstream != nil { wanted.route = route }
        return wanted
    }

    func change(_ status: RouteStatus, _ wanted: Wanted, replaces: Bool = false) async throws -> Proxy {
        let changed = try await translating(wanted.route ?? status.route) {
            try await self.relay.change(
                status.name,
                to: wanted.route,
                isEnabled: wanted.isEnabled,
                dropsToxics: replaces
            )
        }
        entries.withLock { entries in
            var entry = entries[status.name] ?? Entry()
            entry.listen = changed.isEnabled ? nil : wanted.listen ?? entry.listen
            entry.upstream = wanted.upstream ?? entry.upstream
            if replaces { entry.streams = [:] }
            entries[status.name] = entry
        }
        warn(of: changed, after: status)
        return describe(changed)
    }

    func delete(_ name: String) async throws {
        try await mutex.pass {
            _ = try self.route(name)
            try await self.relay.remove(name)
            self.forget(name)
        }
    }

    private func forget(_ name: String) { entries.withLock { $0[name] = nil } }

    // MARK: - All at once

    /// Enables every proxy, and removes every toxic.
    func reset() async throws {
        try await mutex.pass {
            let disabled = self.relay.routes.filter { !$0.isEnabled }
            if let wrong = await self.relay.check(disabled.map { ($0.name, $0.route, true) }) {
                throw Self.refusal(wrong.error)
            }
            for status in self.relay.routes {
                if !status.isEnabled { _ = try await self.change(status, Wanted(isEnabled: true)) }
                try await self.removeToxics(status)
            }
        }
    }

    // MARK: - Helpers

    func route(_ name: String) throws(ToxiproxyError) -> RouteStatus {
        guard let status = relay.route(named: name) else { throw .proxyNotFound }
        return status
    }

    /// Returns the name of the proxy that clients reach at an endpoint; nil if there is none any more.
    func name(_ transport: Transport, _ listener: Endpoint) -> String? {
        relay.routes.first { status in
            status.route.transport == transport
                && status.endpoints.contains { own in
                    own.port == listener.port && (own.address == listener.address || own.address.isUnspecified)
                }
        }?.name
    }

    func describe(_ status: RouteStatus) -> Proxy {
        let entry = entries.withLock { $0[status.name] }
        // Clients give names too, but those are resolved; a route of the command line keeps its name.
        var listen = GoAddress.text(status.route)
        if case .name = status.route.listen.host {
        } else {
            listen = GoAddress.text(status.route, status.endpoints) ?? entry?.listen ?? listen
        }
        return Proxy(
            name: status.name,
            listen: listen,
            upstream: entry?.upstream ?? GoAddress.upstream(status.route),
            isEnabled: status.isEnabled,
            toxics: toxics(of: status, streams: entry?.streams ?? [:])
        )
    }

    func stream(of toxic: String, on name: String) -> String? { entries.withLock { $0[name]?.streams[toxic] } }

    func setStream(_ stream: String, of toxic: String, on name: String) {
        guard relay.route(named: name) != nil else { return }
        entries.withLock { $0[name, default: Entry()].streams[toxic] = stream }
    }

    /// Reads the endpoint on which to listen, whose name is resolved, and where the proxy leads.
    func route(from listen: String, to upstream: String) async throws -> Route {
        let (target, layer) = try Self.target(upstream)
        let address: GoAddress
        do throws(GoAddress.Failure) {
            address = try GoAddress(listen)
        } catch {
            throw ToxiproxyError.other(error)
        }
        let outcome = try await relay.onThread { () -> Result<HostPort, GoAddress.Failure> in
            do throws(GoAddress.Failure) { return .success(try address.listening()) } catch { return .failure(error) }
        }
        switch outcome {
        case .success(let place):
            var route = Route(address.transport, listen: place, target: target)
            let client = address.layer ?? .plain
            route.security = RouteSecurity(client: client, server: layer ?? client)
            return route
        case .failure(let error): throw ToxiproxyError.other("listen \(address.transport): \(error)")
        }
    }

    static func target(_ upstream: String) throws(ToxiproxyError) -> (HostPort, RouteSecurity.Layer?) {
        do throws(GoAddress.Failure) {
            let address = try GoAddress(upstream)
            return (try address.target(), address.layer)
        } catch {
            throw .badBody("upstream: \(error)")
        }
    }

    static func refusal(_ error: RouteChangeError) -> ToxiproxyError {
        switch error {
        case .exists: .proxyExists
        case .unknown: .proxyNotFound
        case .loop, .admin: ToxiproxyError(message: "\(error)", status: 400)
        case .stopping: ToxiproxyError(message: "\(error)", status: 503)
        }
    }

    private func translating<Result: Sendable>(
        _ route: Route,
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as ToxiproxyError {
            throw error
        } catch let error as RouteChangeError {
            throw Self.refusal(error)
        } catch let error as ToxicError {
            throw ToxiproxyError.badBody(error)
        } catch let error as RouteError {
            throw ToxiproxyError.badBody(error)
        } catch {
            throw ToxiproxyError.other(GoAddress.failure(error, listening: route))
        }
    }
}

extension RouteStatus {
    /// Returns whether the route already listens as another one would, or would if it were not disabled.
    fileprivate func listens(_ other: Route) -> Bool {
        guard other.transport == route.transport, other.security.client == route.security.client else { return false }
        guard isEnabled else { return GoAddress.text(route) == GoAddress.text(other) }
        switch other.listen.host {
        case .any: return endpoints[0].address == .anyV4 && other.listen.port == endpoints[0].port
        case .address(let address): return endpoints == [Endpoint(address: address, port: other.listen.port)]
        case .loopbackByDefault, .name: return false
        }
    }
}
