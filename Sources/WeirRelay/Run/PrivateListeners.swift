import CWeir
import Glibc
import WeirEngine
import WeirWire

/// Weir's own ends on the loopback, to which the program's sockets are connected in place of their destinations.
final class PrivateListeners {
    /// The listeners for connections whose server is reached already.
    private let v4: PrivateListener
    /// nil on a machine without IPv6.
    private let v6: PrivateListener?
    /// Ports on which nobody listens, for what is refused.
    private let closedV4: ClosedPort
    private let closedV6: ClosedPort?

    init() throws(SystemError) {
        v4 = try PrivateListener(.loopbackV4)
        v6 = try? PrivateListener(.loopbackV6)
        closedV4 = try ClosedPort(.loopbackV4)
        closedV6 = try? ClosedPort(.loopbackV6)
    }

    /// Returns whether an endpoint is one of these.
    func contains(_ endpoint: Endpoint) -> Bool { endpoint == v4.endpoint || endpoint == v6?.endpoint }

    /// Connects a socket of the program to a port that refuses it, and returns the error that the kernel gives: none, if
    /// the caller does not wait.
    ///
    /// - Parameters:
    ///   - socket: the program's socket.
    ///   - destination: where the program wanted to go: the port has the same family, which the socket keeps.
    /// - Returns: the error.
    func refuse(_ socket: borrowing WatchedSocket, toward destination: Endpoint) -> ErrorNumber? {
        let isV4 = destination.address.unmapped.isV4
        let endpoint = isV4 ? closedV4.endpoint : closedV6?.endpoint ?? closedV4.endpoint
        return Socket.connectNow(socket.raw, to: socket.written(endpoint))
    }

    /// Connects a socket of the program to a listener, and accepts it there.
    ///
    /// - Parameters:
    ///   - socket: the program's socket.
    ///   - destination: where the program wants to go: the listener has the same family.
    /// - Returns: Weir's end of the connection.
    /// - Throws: `WatchedCallError` with the kernel's error.
    func join(
        _ socket: borrowing WatchedSocket,
        toward destination: Endpoint
    ) throws(WatchedCallError) -> JoinedClient {
        guard let listener = destination.address.unmapped.isV4 ? v4 : v6 else {
            throw WatchedCallError(EADDRNOTAVAIL)
        }
        // With fast open the first packet would wait for the first bytes.
        Socket.set(Int32(TCP_FASTOPEN_CONNECT), of: Int32(IPPROTO_TCP), to: 0, on: socket.raw)
        let error = Socket.connectNow(socket.raw, to: socket.written(listener.endpoint))
        if let error, error.rawValue != EINPROGRESS { throw WatchedCallError(error.rawValue) }
        guard let client = Socket.localEndpoint(socket.raw) else { throw WatchedCallError(ECONNABORTED) }
        return JoinedClient(socket: try listener.accept(client), own: client)
    }
}

/// A port of the loopback that is taken, but on which nobody listens.
private final class ClosedPort {
    private let descriptor: Descriptor
    let endpoint: Endpoint

    init(_ address: IPAddress) throws(SystemError) {
        descriptor = try Socket.make(.tcp, for: address)
        try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: "bind a port of the loopback")
        endpoint = try Socket.ownEndpoint(descriptor.raw)
    }
}

/// Weir's end of a connection to a socket of the program.
struct JoinedClient: ~Copyable {
    let socket: Descriptor
    /// The endpoint of the program's socket, as the kernel has it.
    let own: Endpoint
}

/// A listener of Weir's on the loopback, for connections that Weir itself makes.
final class PrivateListener {
    /// The descriptor's number.
    let raw: Int32
    let endpoint: Endpoint

    /// Listens on a port that the kernel chooses.
    ///
    /// - Parameter address: an address of the loopback; a mapped one makes a socket of the family of IPv6.
    /// - Throws: `SystemError`.
    init(_ address: IPAddress) throws(SystemError) {
        let attempt = "listen on the loopback"
        let descriptor = try Socket.make(.tcp, for: address)
        if address.isV4Mapped { Socket.set(Int32(IPV6_V6ONLY), of: Int32(IPPROTO_IPV6), to: 0, on: descriptor.raw) }
        try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: attempt)
        Socket.setStreamOptions(descriptor.raw)
        guard listen(descriptor.raw, 4096) == 0 else { throw SystemError(attempt, .current) }
        endpoint = try Socket.ownEndpoint(descriptor.raw)
        raw = descriptor.release()
    }

    deinit { close(raw) }

    /// Accepts the connection of a client, which has connected already.
    ///
    /// - Throws: `WatchedCallError` with the kernel's error.
    func accept(_ client: Endpoint) throws(WatchedCallError) -> Descriptor {
        // On the loopback the handshake is over when `connect` returns.
        for _ in 0..<1000 {
            var peer = sockaddr_storage()
            let accepted = weir_accept(raw, &peer)
            if accepted >= 0 {
                let descriptor = Descriptor(owning: accepted)
                if let found = SocketAddress.endpoint(&peer), found.port == client.port,
                    found.address.unmapped == client.address.unmapped
                {
                    return descriptor
                }
                // Another program has found the port: its connection is closed.
                continue
            }
            guard accepted == -EAGAIN || accepted == -EINTR || accepted == -ECONNABORTED else {
                throw WatchedCallError(-accepted)
            }
            var waited = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            guard poll(&waited, 1, 100) > 0 else { break }
        }
        throw WatchedCallError(ECONNABORTED)
    }
}

extension Socket {
    /// Returns the endpoint of a socket that is bound.
    fileprivate static func ownEndpoint(_ raw: Int32) throws(SystemError) -> Endpoint {
        guard let endpoint = localEndpoint(raw) else { throw SystemError("find the own port", .current) }
        return endpoint
    }
}
