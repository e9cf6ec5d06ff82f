import Glibc
public import WeirEngine
public import WeirWire

/// A client's way to reach a peer: a handshake over TCP, a connected socket over UDP.
public struct Connector: Sendable {
    /// The transport protocol.
    public var transport: Transport
    /// The port to send from; if nil, the kernel chooses one.
    public var sourcePort: UInt16?
    /// The time limit for a handshake with one address; if nil, the kernel's own applies (about two minutes).
    public var timeout: Duration?

    /// Makes a connector.
    public init(_ transport: Transport, sourcePort: UInt16? = nil, timeout: Duration? = nil) {
        self.transport = transport
        self.sourcePort = sourcePort
        self.timeout = timeout
    }

    /// Connects to the first endpoint that is reachable; blocks meanwhile.
    ///
    /// - Parameters:
    ///   - endpoints: the peer's addresses, tried in this order.
    ///   - skipped: called with each failure that another attempt follows.
    /// - Returns: the connection.
    /// - Throws: the last attempt's `SystemError`.
    /// - Precondition: there is at least one endpoint.
    public func connect(
        to endpoints: [Endpoint],
        skipped: (SystemError) -> Void = { _ in }
    ) throws(SystemError) -> Connection {
        precondition(!endpoints.isEmpty, "there is no endpoint to connect to")
        for endpoint in endpoints.dropLast() {
            do throws(SystemError) {
                return try connect(to: endpoint)
            } catch {
                skipped(error)
            }
        }
        return try connect(to: endpoints[endpoints.count - 1])
    }

    private func connect(to peer: Endpoint) throws(SystemError) -> Connection {
        let attempt = "connect to \(peer)"
        let descriptor = try Socket.make(transport, for: peer.address)
        if transport == .tcp { Socket.setStreamOptions(descriptor.raw) }
        if let sourcePort { try bind(descriptor.raw, to: sourcePort, toward: peer) }
        if let error = Socket.connect(descriptor.raw, to: peer) { throw Self.error(attempt, error, peer) }
        if transport == .tcp, let error = try finishHandshake(descriptor.raw) { throw Self.error(attempt, error, peer) }
        guard let local = Socket.localEndpoint(descriptor.raw) else {
            throw SystemError(attempt, Socket.pendingError(descriptor.raw) ?? .connectionReset)
        }
        guard transport == .udp || local != peer else {
            // A dial to an ephemeral port without a listener can connect to itself.
            Socket.resetOnClose(descriptor.raw)
            throw SystemError(attempt, .connectionRefused)
        }
        return Connection(descriptor: descriptor, transport: transport, local: local, peer: peer)
    }

    private func bind(_ raw: Int32, to port: UInt16, toward peer: Endpoint) throws(SystemError) {
        // A TCP port whose last connection is in TIME-WAIT can be used again.
        if transport == .tcp { Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: raw) }
        let local = Endpoint(address: peer.address.isV4 ? .anyV4 : .anyV6, port: port)
        do {
            try Socket.bind(raw, to: local, attempt: "send from \(transport) port \(port)")
        } catch {
            guard error.error.rawValue == EADDRINUSE else { throw error }
            throw SystemError(error.attempt, error.error, advice: "another socket has that port")
        }
    }

    /// Waits for the end of a handshake; returns nil if it succeeded.
    private func finishHandshake(_ raw: Int32) throws(SystemError) -> ErrorNumber? {
        let deadline = timeout.map { SystemClock.instant().advanced(by: $0) }
        var entries = [Poll.entry(raw, POLLOUT)]
        while try Poll.wait(&entries, timeout: deadline.map { SystemClock.instant().duration(to: $0) }) == 0 {
            if let deadline, SystemClock.instant() >= deadline { return .timedOut }
        }
        return Socket.pendingError(raw)
    }

    private static func error(_ attempt: String, _ error: ErrorNumber, _ peer: Endpoint) -> SystemError {
        let address = peer.address
        guard error.rawValue == EINVAL, !address.isV4, address.isLinkLocal, address.scope == 0 else {
            return SystemError(attempt, error)
        }
        return SystemError(attempt, error, advice: "a link-local address needs its interface: fe80::1%eth0")
    }
}

/// A socket that is connected to a peer; its owner closes it.
public struct Connection: ~Copyable {
    package let descriptor: Descriptor
    /// The transport protocol.
    public let transport: Transport
    /// This side's endpoint, with the port that the kernel chose.
    public let local: Endpoint
    /// The other side's endpoint.
    public let peer: Endpoint
    #if TLS
    /// The connection's TLS, once its handshake is complete.
    var tls: ConnectionTLS?
    #endif
    /// What its handshake agreed on; nil if it has no TLS.
    public internal(set) var secured: SecuredRecord?
}
