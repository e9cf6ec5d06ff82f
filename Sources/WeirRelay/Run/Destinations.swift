import Glibc
import WeirEngine
import WeirWire

/// Where a program wants to go, and where Weir dials for it.
struct Destination {
    /// The endpoint that the program asked for.
    var asked: Endpoint
    /// The endpoint that is dialed: another one if a map says so.
    var server: Endpoint
    /// The number of the destination's route, by which toxics and the API find it.
    var route: Int

    /// Returns the endpoint that the program is told, and that is shown, for a server that was reached: 0.0.0.0 and [::] are
    /// the loopback then.
    func shown(_ peer: () -> Endpoint?) -> Endpoint {
        guard asked.address.isUnspecified, server == asked else { return asked }
        return peer() ?? asked
    }
}

/// What the filters and maps say of a destination.
enum DestinationChoice {
    /// The program may not reach it.
    case denied
    /// It leads elsewhere.
    case mapped
    case relayed
    /// It is left to the kernel.
    case excluded
}

/// The destinations of a program, each with a route of its own that has no listener.
final class Destinations {
    /// The maximum number that are kept apart.
    private static let most = 4096

    private struct Key: Hashable {
        var transport: Transport
        var endpoint: Endpoint
    }

    private let settings: WatchSettings
    private let relay: Supervisor
    private var known: [Key: Destination] = [:]
    private let names: ResolvedNames
    private let mapped: [DestinationFilter]
    private let needsNames: Bool
    private let hasFilters: Bool

    init(_ settings: WatchSettings, _ relay: Supervisor) {
        (self.settings, self.relay) = (settings, relay)
        names = relay.shared.configuration.names
        (mapped, needsNames) = (settings.maps.map(\.filter), settings.needsNames)
        hasFilters = ![settings.denied, mapped, settings.except, settings.only].allSatisfy(\.isEmpty)
    }

    /// Returns what the filters and maps say of a destination: whoever denies or maps it wants it to be so, whatever `--only` and
    /// `--except` choose.
    func choice(_ transport: Transport, _ endpoint: Endpoint) -> DestinationChoice {
        guard hasFilters else { return .relayed }
        let names = names.names(of: endpoint.address.unmapped)
        func isIn(_ filters: [DestinationFilter]) -> Bool {
            filters.contains { $0.matches(transport, endpoint, names: names) }
        }
        if isIn(settings.denied) { return .denied }
        if isIn(mapped) { return .mapped }
        if isIn(settings.except) { return .excluded }
        if settings.only.isEmpty || isIn(settings.only) { return .relayed }
        // A name server, if names are needed.
        return needsNames && endpoint.port == WatchedProcesses.nameServerPort ? .relayed : .excluded
    }

    /// Finds a destination, or makes it, with its route and toxics; nil if there are too many, or the relay ends.
    func find(_ transport: Transport, _ asked: Endpoint) -> Destination? {
        let unmapped = asked.unmapped
        let key = Key(transport: transport, endpoint: unmapped)
        if let destination = known[key] { return destination }
        guard known.count < Self.most else { return nil }
        var server = unmapped
        let names = names.names(of: unmapped.address)
        if let map = settings.maps.first(where: { $0.filter.matches(transport, unmapped, names: names) }) {
            guard let target = settings.mapTargets[map] else { return nil }
            server = target
        }
        guard let route = makeRoute(transport, unmapped, to: server) else { return nil }
        let destination = Destination(asked: unmapped, server: server, route: route)
        known[key] = destination
        return destination
    }

    private func makeRoute(_ transport: Transport, _ asked: Endpoint, to server: Endpoint) -> Int? {
        let relay = relay
        let toxics = asked.port == WatchedProcesses.nameServerPort ? NameMap.toxics(settings.nameMaps) : []
        var route = Route(
            transport,
            listen: HostPort(.address(.loopbackV4), 0),
            target: HostPort(.address(server.address), server.port)
        )
        if transport == .tcp { route.security = settings.security }
        return Blocking.wait { [route] in
            try? await relay.addDestination(route, named: "\(transport)-\(asked)", toxics: toxics)
        }
    }
}

/// Waiting on a thread for what an actor does.
enum Blocking {
    private final class Box<Value: Sendable>: Sendable {
        let value = Lock<Value?>(nil)
    }

    /// Runs an asynchronous function, and waits for its result; not for threads of Swift's own pool.
    static func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value?) -> Value? {
        guard let mailbox = try? Mailbox<Void>() else { return nil }
        let box = Box<Value>()
        Task {
            let value = await body()
            box.value.withLock { $0 = value }
            mailbox.post(())
        }
        mailbox.wait(for: nil)
        return box.value.withLock { $0 }
    }
}
