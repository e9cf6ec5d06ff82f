import CWeir
import Glibc
import WeirEngine
import WeirWire

/// Weir's own ends on the loopback, to which the program's sockets are connected in place of their destinations.
final class PrivateListeners {
    /// The listeners for connections whose server is reached already.
    private let v4: Descriptor
    /// -1 on a machine without IPv6.
    private let rawV6: Int32
    private let v4Endpoint: Endpoint
    private let v6Endpoint: Endpoint?
    /// A port on which nobody listens, for what is refused.
    private let closed: Descriptor
    private let closedPort: UInt16

    init() throws(SystemError) {
        v4 = try Self.listener(.loopbackV4)
        v4Endpoint = try Self.endpoint(v4)
        if let v6 = try? Self.listener(.loopbackV6) {
            v6Endpoint = Socket.localEndpoint(v6.raw)
            rawV6 = v6.release()
        } else {
            v6Endpoint = nil
            rawV6 = -1
        }
        closed = try Socket.make(.tcp, for: .loopbackV4)
        try Socket.bind(closed.raw, to: Endpoint(address: .loopbackV4, port: 0), attempt: "bind a port of the loopback")
        closedPort = try Self.endpoint(closed).port
    }

    deinit {
        if rawV6 >= 0 { close(rawV6) }
    }

    private static func listener(_ address: IPAddress) throws(SystemError) -> Descriptor {
        let descriptor = try Socket.make(.tcp, for: address)
        try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: "listen on the loopback")
        Socket.setStreamOptions(descriptor.raw)
        guard listen(descriptor.raw, 4096) == 0 else { throw SystemError("listen on the loopback", .current) }
        return descriptor
    }

    private static func endpoint(_ descriptor: borrowing Descriptor) throws(SystemError) -> Endpoint {
        guard let endpoint = Socket.localEndpoint(descriptor.raw) else {
            throw SystemError("find the own port", .current)
        }
        return endpoint
    }

    /// Returns whether an endpoint is one of these.
    func contains(_ endpoint: Endpoint) -> Bool { endpoint == v4Endpoint || endpoint == v6Endpoint }

    /// Connects a socket of the program to a port that refuses it, and returns the error that the kernel gives: none, if
    /// the caller does not wait.
    func refuse(_ socket: borrowing WatchedSocket) -> ErrorNumber? {
        let endpoint = socket.written(Endpoint(address: .loopbackV4, port: closedPort))
        return Socket.connectNow(socket.raw, to: endpoint)
    }

    /// Connects a socket of the program to a listener, and accepts it there.
    ///
    /// - Parameters:
    ///   - socket: the program's socket.
    ///   - destination: where the program wants to go: the listener has the same family.
    /// - Returns: Weir's end of the connection.
    /// - Throws: `WatchedCallError` with the kernel's error.
    func join(_ socket: borrowing WatchedSocket, toward destination: Endpoint) throws(WatchedCallError) -> Descriptor {
        let isV4 = destination.address.unmapped.isV4
        let (raw, endpoint) = isV4 ? (v4.raw, v4Endpoint) : (rawV6, v6Endpoint ?? v4Endpoint)
        guard raw >= 0 else { throw WatchedCallError(EADDRNOTAVAIL) }
        // With fast open the first packet would wait for the first bytes.
        Socket.set(Int32(TCP_FASTOPEN_CONNECT), of: Int32(IPPROTO_TCP), to: 0, on: socket.raw)
        if let error = Socket.connectNow(socket.raw, to: socket.written(endpoint)), error.rawValue != EINPROGRESS {
            throw WatchedCallError(error.rawValue)
        }
        guard let client = Socket.localEndpoint(socket.raw) else { throw WatchedCallError(ECONNABORTED) }
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
