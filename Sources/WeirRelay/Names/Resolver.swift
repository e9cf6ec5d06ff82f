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
