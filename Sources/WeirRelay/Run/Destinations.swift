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

    init(_ settings: WatchSettings, _ relay: Supervisor) {
        (self.settings, self.relay) = (settings, relay)
        names = relay.shared.configuration.names
        (mapped, needsNames) = (settings.maps.map(\.filter), settings.needsNames)
    }

    /// Returns whether a destination is relayed: it is denied or mapped, or `--only` and `--except` choose it; or it is a name
    /// server, and names are needed.
    func isWatched(_ transport: Transport, _ endpoint: Endpoint) -> Bool {
        if isDenied(transport, endpoint) || isMapped(transport, endpoint) { return true }
        if matches(settings.except, transport, endpoint) { return false }
        if settings.only.isEmpty || matches(settings.only, transport, endpoint) { return true }
        return needsNames && endpoint.port == WatchedProcesses.nameServerPort
    }

    /// Returns whether the program may not reach a destination.
    func isDenied(_ transport: Transport, _ endpoint: Endpoint) -> Bool {
        matches(settings.denied, transport, endpoint)
    }

    /// Returns whether a destination leads elsewhere.
    func isMapped(_ transport: Transport, _ endpoint: Endpoint) -> Bool {
        matches(mapped, transport, endpoint)
    }

    private func matches(_ filters: [DestinationFilter], _ transport: Transport, _ endpoint: Endpoint) -> Bool {
        guard !filters.isEmpty else { return false }
        let names = names.names(of: endpoint.address.unmapped)
        return filters.contains { $0.matches(transport, endpoint, names: names) }
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
        let route = Route(
            transport,
            listen: HostPort(.address(.loopbackV4), 0),
            target: HostPort(.address(server.address), server.port)
        )
        return Blocking.wait { try? await relay.addDestination(route, named: "\(transport)-\(asked)", toxics: toxics) }
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
