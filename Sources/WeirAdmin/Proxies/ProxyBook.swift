import WeirFlow
import WeirRelay
import WeirWire

/// Keeps the relay's routes as Toxiproxy's clients know them: proxies, each with a name and with toxics.
final class ProxyBook: Sendable {
    /// Holds what is known of a proxy beside its route.
    struct Entry: Sendable {
        var listen: String
        var upstream: String
        /// Holds each toxic's stream as it was sent, in any case.
        var streams: [String: String] = [:]
    }

    /// Describes a proxy.
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
                // Toxiproxy shows this by accident, and clients may have come to know it.
                "Logger": [:],
                "toxics": .array(toxics),
            ]
        }
    }

    let relay: Supervisor
    private let report: @Sendable (String) -> Void
    /// Lets one change pass at a time; nobody waits who only looks.
    private let turnstile = Turnstile()
    private let entries = Lock([String: Entry]())

    init(_ relay: Supervisor, report: @escaping @Sendable (String) -> Void) {
        self.relay = relay
        self.report = report
    }

    // MARK: - Proxies

    /// Lists all proxies, by their names.
    func all() -> [Proxy] { relay.routes.map(describe) }

    func proxy(_ name: String) throws(ToxiproxyError) -> Proxy { describe(try route(name)) }

    /// Makes a proxy.
    func create(_ body: [UInt8]) async throws -> Proxy {
        let input = try ProxyInput(body)
        let name = try input.string("name") ?? ""
        let listen = try input.string("listen") ?? ""
        let upstream = try input.string("upstream") ?? ""
        let isEnabled = try input.bool("enabled") ?? true
        guard !name.isEmpty else { throw ToxiproxyError.missing("name") }
        guard !upstream.isEmpty else { throw ToxiproxyError.missing("upstream") }
        return try await turnstile.pass { try await self.add(name, listen, upstream, isEnabled) }
    }

    private func add(_ name: String, _ listen: String, _ upstream: String, _ isEnabled: Bool) async throws -> Proxy {
        guard relay.route(named: name) == nil else { throw ToxiproxyError.proxyExists }
        let route = try await makeRoute(listen, upstream)
        let status = try await translating(route) { try await self.relay.add(route, named: name, isEnabled: isEnabled) }
        entries.withLock { $0[name] = Entry(listen: listen, upstream: upstream) }
        warn(of: status)
        return describe(status)
    }

    /// Says that a proxy takes clients from everywhere, each time that it begins to.
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
        try await turnstile.pass {
            let status = try self.route(name)
            let before = self.describe(status)
            let input = try ProxyInput(body)
            let listen = try input.string("listen") ?? before.listen
            let upstream = try input.string("upstream") ?? before.upstream
            let isEnabled = try input.bool("enabled") ?? before.isEnabled
            return try await self.change(status, listen, upstream, isEnabled)
        }
    }

    private func change(
        _ status: RouteStatus,
        _ listen: String,
        _ upstream: String,
        _ isEnabled: Bool
    ) async throws -> Proxy {
        let route = try await makeRoute(listen, upstream)
        let before = describe(status)
        let isSame = route.hasSameListen(as: status) && upstream == before.upstream
        if !isSame {
            // What was asked for stays also where it cannot be had now.
            entries.withLock { entries in
                let streams = entries[status.name]?.streams ?? [:]
                entries[status.name] = Entry(listen: listen, upstream: upstream, streams: streams)
            }
        }
        let changed = try await translating(route) {
            try await self.relay.change(status.name, to: isSame ? nil : route, isEnabled: isEnabled)
        }
        warn(of: changed, after: status)
        return describe(changed)
    }

    func delete(_ name: String) async throws {
        try await turnstile.pass {
            _ = try self.route(name)
            try await self.relay.remove(name)
            self.forget(name)
        }
    }

    private func forget(_ name: String) { entries.withLock { $0[name] = nil } }

    // MARK: - All at once

    /// Makes the proxies of a list, and replaces those that are different.
    ///
    /// - Returns: those that are there now, and what stopped it, if anything did, and at which place of the list, where
    ///   that is a proxy that could not be made.
    func populate(_ body: [UInt8]) async -> (proxies: [Proxy], error: ToxiproxyError?, place: Int?) {
        do {
            let inputs = try ProxyInput.list(body)
            var wanted: [(name: String, listen: String, upstream: String, isEnabled: Bool)] = []
            for (index, input) in inputs.enumerated() {
                guard let name = try input.string("name"), !name.isEmpty else {
                    throw ToxiproxyError.missing("name at proxy \(index + 1)")
                }
                guard let upstream = try input.string("upstream"), !upstream.isEmpty else {
                    throw ToxiproxyError.missing("upstream at proxy \(index + 1)")
                }
                wanted.append((name, try input.string("listen") ?? "", upstream, try input.bool("enabled") ?? true))
            }
            let all = wanted
            return await turnstile.pass { await self.populate(all) }
        } catch {
            return ([], error as? ToxiproxyError ?? .other("\(error)"), nil)
        }
    }

    private func populate(
        _ wanted: [(name: String, listen: String, upstream: String, isEnabled: Bool)]
    ) async -> (proxies: [Proxy], error: ToxiproxyError?, place: Int?) {
        var done: [Proxy] = []
        for (name, listen, upstream, isEnabled) in wanted {
            do {
                if let status = relay.route(named: name) {
                    let route = try await makeRoute(listen, upstream)
                    let proxy = describe(status)
                    if route.hasSameListen(as: status), proxy.upstream == upstream {
                        done.append(proxy)
                        continue
                    }
                    try await relay.remove(name)
                    forget(name)
                }
                done.append(try await add(name, listen, upstream, isEnabled))
            } catch {
                return (done, error as? ToxiproxyError ?? .other("\(error)"), done.count + 1)
            }
        }
        return (done, nil, nil)
    }

    /// Enables every proxy, and removes every toxic.
    func reset() async throws {
        try await turnstile.pass {
            for status in self.relay.routes {
                if !status.isEnabled {
                    let changed = try await self.translating(status.route) {
                        try await self.relay.change(status.name, isEnabled: true)
                    }
                    self.warn(of: changed, after: status)
                }
                try await self.removeToxics(status)
            }
        }
    }

    // MARK: - Helpers

    func route(_ name: String) throws(ToxiproxyError) -> RouteStatus {
        guard let status = relay.route(named: name) else { throw .proxyNotFound }
        return status
    }

    func describe(_ status: RouteStatus) -> Proxy {
        let bound = GoAddress.text(status.route.transport, status.endpoints)
        let entry = entries.withLock { entries in
            // What is bound now is what it is called from then on, also when it is disabled.
            if let bound { entries[status.name]?.listen = bound }
            return entries[status.name]
        }
        let prefix = status.route.transport == .udp ? "udp:" : ""
        return Proxy(
            name: status.name,
            listen: bound ?? entry?.listen ?? prefix + "\(status.route.listen)",
            upstream: entry?.upstream ?? status.route.target.map { "\($0)" } ?? "",
            isEnabled: status.isEnabled,
            toxics: toxics(of: status, streams: entry?.streams ?? [:])
        )
    }

    func stream(of toxic: String, on name: String) -> String? { entries.withLock { $0[name]?.streams[toxic] } }

    func setStream(_ stream: String, of toxic: String, on name: String) {
        guard let status = relay.route(named: name) else { return }
        let proxy = describe(status)
        entries.withLock {
            $0[name, default: Entry(listen: proxy.listen, upstream: proxy.upstream)].streams[toxic] = stream
        }
    }

    private func makeRoute(_ listen: String, _ upstream: String) async throws -> Route {
        let (from, to): (GoAddress, HostPort)
        do throws(GoAddress.Failure) {
            from = try GoAddress(listen)
        } catch {
            throw ToxiproxyError.other(error)
        }
        do throws(GoAddress.Failure) {
            to = try GoAddress(upstream).target()
        } catch {
            throw ToxiproxyError.badBody("upstream: \(error)")
        }
        let outcome = try await relay.onThread { () -> Result<HostPort, GoAddress.Failure> in
            do throws(GoAddress.Failure) { return .success(try from.listening()) } catch { return .failure(error) }
        }
        switch outcome {
        case .success(let place): return Route(from.transport, listen: place, target: to)
        case .failure(let error): throw ToxiproxyError.other("listen \(from.transport): \(error)")
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
            switch error {
            case .exists: throw ToxiproxyError.proxyExists
            case .unknown: throw ToxiproxyError.proxyNotFound
            case .loop, .admin: throw ToxiproxyError(message: "\(error)", status: 400)
            case .stopping: throw ToxiproxyError(message: "\(error)", status: 503)
            }
        } catch {
            throw ToxiproxyError.other(GoAddress.failure(error, listening: route))
        }
    }
}

extension Route {
    /// Tells whether this route would listen where another one is bound, or is to be bound.
    fileprivate func hasSameListen(as status: RouteStatus) -> Bool {
        guard transport == status.route.transport else { return false }
        guard let first = status.endpoints.first else { return listen == status.route.listen }
        switch listen.host {
        case .any: return first.address.isUnspecified && listen.port == first.port
        case .address(let address): return Endpoint(address: address, port: listen.port) == first
        case .loopbackByDefault: return first == Endpoint(address: .loopbackV4, port: listen.port)
        case .name: return false
        }
    }
}
