import Glibc
import WeirEngine
import WeirWire

/// The endpoints at which this relay listens.
///
/// No route may forward to one of them: such a flow would dial itself for ever.
final class OwnListeners: Sendable {
    private struct Place: Hashable {
        var transport: Transport
        var endpoint: Endpoint
        var owner: Owner
    }

    /// The owner of a listening endpoint.
    enum Owner: Hashable, Sendable {
        /// One of the relay's routes, by its number.
        case route(Int)
        /// The control API; no flow may ever lead there.
        case admin
    }

    private let places: Lock<[Place]>

    /// Makes an empty list.
    convenience init() { self.init([]) }

    private init(_ places: [Place]) {
        self.places = Lock(places)
    }

    /// Adds a listening endpoint.
    func add(_ transport: Transport, _ endpoint: Endpoint, of owner: Owner) {
        places.withLock { $0.append(Place(transport: transport, endpoint: endpoint, owner: owner)) }
    }

    /// Removes the endpoints of a route that no longer listens.
    func remove(_ owner: Owner) { places.withLock { $0.removeAll { $0.owner == owner } } }

    /// Returns a separate list, in which an owner listens only at these endpoints.
    func replacing(_ owner: Owner, _ transport: Transport, _ endpoints: [Endpoint]) -> OwnListeners {
        var places = places.withLock { $0 }
        places.removeAll { $0.owner == owner }
        places += endpoints.map { Place(transport: transport, endpoint: $0, owner: owner) }
        return OwnListeners(places)
    }

    /// Returns whether any listener is on a port, at whatever address.
    func hasPort(_ transport: Transport, _ port: UInt16) -> Bool {
        places.withLock { $0.contains { $0.transport == transport && $0.endpoint.port == port } }
    }

    /// Returns whether connecting to an endpoint would reach this relay.
    func contains(_ transport: Transport, _ endpoint: Endpoint) -> Bool { owner(transport, endpoint) != nil }

    /// Returns the owner of the listener that connecting to an endpoint would reach; nil if that is not this relay.
    func owner(_ transport: Transport, _ endpoint: Endpoint) -> Owner? {
        var target = endpoint
        target.address = target.address.unmapped
        // Connecting to the unspecified address reaches this machine (Linux ip(7), INADDR_ANY).
        if target.address.isUnspecified { target.address = target.address.isV4 ? .loopbackV4 : .loopbackV6 }
        let candidates = places.withLock { $0 }.filter {
            $0.transport == transport && $0.endpoint.port == target.port
                && $0.endpoint.address.isV4 == target.address.isV4
        }
        if let place = candidates.first(where: { $0.endpoint.address == target.address }) { return place.owner }
        guard let place = candidates.first(where: \.endpoint.address.isUnspecified) else { return nil }
        return Self.isLocal(target.address) ? place.owner : nil
    }

    /// Returns whether an address belongs to this machine: only then can a socket be bound to it.
    ///
    /// If that cannot be determined, the result is true: a loop is worse than a refused flow.
    static func isLocal(_ address: IPAddress) -> Bool {
        do throws(SystemError) {
            let descriptor = try Socket.make(.udp, for: address)
            try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: "")
            return true
        } catch {
            return ![EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENODEV].contains(error.error.rawValue)
        }
    }
}
