import CWeir
import Glibc
package import WeirEngine
package import WeirWire

/// The making of sockets, and their options; every descriptor is non-blocking and closed on exec.
package enum Socket {
    private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    package static func make(_ transport: Transport, for address: IPAddress) throws(SystemError) -> Descriptor {
        let family = address.isV4 ? AF_INET : AF_INET6
        let kind = Int32(transport == .tcp ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
        let raw = socket(family, kind | flags, 0)
        guard raw >= 0 else { throw SystemError("make a \(transport) socket", .current) }
        return Descriptor(owning: raw)
    }

    /// Sets an option to an integer; returns whether the kernel accepted it.
    @discardableResult
    package static func set(_ option: Int32, of level: Int32, to value: Int32, on raw: Int32) -> Bool {
        var value = value
        return setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    /// Returns the value of an integer option; 0 if the socket has no such option.
    package static func get(_ option: Int32, of level: Int32, on raw: Int32) -> Int {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(raw, level, option, &value, &length) == 0 ? Int(value) : 0
    }

    /// Makes the kernel send small chunks at once, and keep urgent bytes at their place in the stream.
    ///
    /// Source: RFC 6093 section 4: otherwise TCP's users get urgent data in a way that loses a byte of the stream.
    package static func setStreamOptions(_ raw: Int32) {
        set(Int32(TCP_NODELAY), of: Int32(IPPROTO_TCP), to: 1, on: raw)
        set(SO_OOBINLINE, of: SOL_SOCKET, to: 1, on: raw)
    }

    /// Turns on keepalive: the kernel probes a silent peer after this time, and then every sixth of it, nine times.
    ///
    /// A socket inherits these options from the listening socket that accepts it.
    /// Source: RFC 9293 section 3.8.4; tcp(7).
    static func setKeepalive(_ duration: Duration?, on raw: Int32) {
        guard let duration else { return }
        let seconds = Int32(clamping: max(1, duration.components.seconds))
        set(SO_KEEPALIVE, of: SOL_SOCKET, to: 1, on: raw)
        set(Int32(TCP_KEEPIDLE), of: Int32(IPPROTO_TCP), to: min(seconds, 32_767), on: raw)
        set(Int32(TCP_KEEPINTVL), of: Int32(IPPROTO_TCP), to: max(1, min(seconds, 32_767) / 6), on: raw)
    }

    /// Makes the kernel send what it holds back of a stream until more arrives.
    static func push(_ raw: Int32) {
        set(Int32(TCP_NODELAY), of: Int32(IPPROTO_TCP), to: 1, on: raw)
    }

    /// Makes the last packet of a handshake wait for the first bytes sent, for a dial whose client has already sent
    /// some.
    static func joinHandshake(_ raw: Int32) {
        set(Int32(TCP_QUICKACK), of: Int32(IPPROTO_TCP), to: 0, on: raw)
    }

    package static func bind(_ raw: Int32, to endpoint: Endpoint, attempt: String) throws(SystemError) {
        var storage = sockaddr_storage()
        let length = SocketAddress.write(endpoint, to: &storage)
        let status = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(raw, $0, length) }
        }
        guard status == 0 else {
            let error = ErrorNumber.current
            throw SystemError(attempt, error, advice: advice(for: error, endpoint))
        }
    }

    /// Starts to connect; returns nil if the connection is made or in progress.
    package static func connect(_ raw: Int32, to endpoint: Endpoint) -> ErrorNumber? {
        let error = connectNow(raw, to: endpoint)
        return error?.rawValue == EINPROGRESS ? nil : error
    }

    /// Binds a socket to an address whose port the kernel chooses when the socket connects, as it does for one without an
    /// address.
    static func bind(_ raw: Int32, toAddress address: IPAddress) {
        // IP_BIND_ADDRESS_NO_PORT of linux/in.h.
        set(24, of: Int32(IPPROTO_IP), to: 1, on: raw)
        try? bind(raw, to: Endpoint(address: address, port: 0), attempt: "")
    }

    /// Starts to connect, and returns the kernel's error, `EINPROGRESS` among them; nil if the connection is made.
    static func connectNow(_ raw: Int32, to endpoint: Endpoint) -> ErrorNumber? {
        var storage = sockaddr_storage()
        let length = SocketAddress.write(endpoint, to: &storage)
        let status = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(raw, $0, length) }
        }
        return status == 0 ? nil : .current
    }

    /// Returns a socket's own endpoint; nil if it has none yet.
    package static func localEndpoint(_ raw: Int32) -> Endpoint? {
        guard let endpoint = localName(raw), endpoint.port != 0 else { return nil }
        return endpoint
    }

    /// Returns the address to which a socket is bound, also if it has no port yet; nil if it is no socket.
    static func localAddress(_ raw: Int32) -> IPAddress? { localName(raw)?.address }

    private static func localName(_ raw: Int32) -> Endpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &length) }
        }
        return status == 0 ? SocketAddress.endpoint(&storage) : nil
    }

    /// Returns the endpoint to which a socket is connected; nil if there is none.
    package static func peerEndpoint(_ raw: Int32) -> Endpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(raw, $0, &length) }
        }
        return status == 0 ? SocketAddress.endpoint(&storage) : nil
    }

    /// Returns a socket's pending error, and clears it; nil if there is none.
    package static func pendingError(_ raw: Int32) -> ErrorNumber? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(raw, SOL_SOCKET, SO_ERROR, &value, &length) == 0 { return value == 0 ? nil : ErrorNumber(value) }
        // If getsockopt fails, the socket may still have an error; a receive returns it, too.
        var byte: UInt8 = 0
        guard recv(raw, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0, errno != EAGAIN else { return nil }
        return .current
    }

    /// Makes closing a TCP socket reset its connection.
    package static func resetOnClose(_ raw: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        // A connection that is disconnected is reset, too (connect(2), AF_UNSPEC).
        if setsockopt(raw, SOL_SOCKET, SO_LINGER, &option, size) != 0 { _ = weir_disconnect(raw) }
    }

    private static func advice(for error: ErrorNumber, _ endpoint: Endpoint) -> String? {
        switch error.rawValue {
        case EACCES, EPERM: endpoint.port < 1024 ? "ports below 1024 need CAP_NET_BIND_SERVICE" : nil
        case EADDRINUSE: "another program listens there; choose another port, or 0 to let the kernel choose"
        case EADDRNOTAVAIL: "no interface of this machine has that address"
        default: nil
        }
    }
}

extension ErrorNumber {
    /// This thread's `errno`.
    static var current: ErrorNumber { ErrorNumber(errno) }
}
