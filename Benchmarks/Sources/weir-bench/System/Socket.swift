import Glibc

/// Makes the sockets of the load generator, all of them on 127.0.0.1.
enum Socket {
    /// The transport of a socket.
    enum Transport: String, Sendable, Codable {
        case tcp, udp
    }

    /// Listens for TCP connections; port 0 lets the kernel choose.
    static func listen(port: UInt16 = 0, sharedPort: Bool = false) throws(BenchError) -> Descriptor {
        let socket = try make(.tcp, nonblocking: true)
        try set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        if sharedPort { try set(socket, SOL_SOCKET, SO_REUSEPORT, 1) }
        try bind(socket, port: port)
        guard Glibc.listen(socket.number, 4096) == 0 else { throw .lastCall("listen", on: "tcp 127.0.0.1:\(port)") }
        return socket
    }

    /// Binds a UDP socket with large queues; port 0 lets the kernel choose.
    static func bindUDP(port: UInt16 = 0, sharedPort: Bool = false) throws(BenchError) -> Descriptor {
        let socket = try make(.udp, nonblocking: true)
        if sharedPort { try set(socket, SOL_SOCKET, SO_REUSEPORT, 1) }
        try enlargeQueues(socket)
        try bind(socket, port: port)
        return socket
    }

    /// Connects over TCP and waits until the connection is there.
    static func connect(port: UInt16) throws(BenchError) -> Descriptor {
        let socket = try make(.tcp, nonblocking: false)
        try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        try limitWaiting(socket, seconds: 10)
        guard start(socket, port: port) == 0 else { throw .lastCall("connect", on: "tcp 127.0.0.1:\(port)") }
        return socket
    }

    /// Begins to connect over TCP without waiting for the end of it.
    static func beginConnect(port: UInt16) throws(BenchError) -> Descriptor {
        let socket = try make(.tcp, nonblocking: true)
        try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        guard start(socket, port: port) == 0 || errno == EINPROGRESS else {
            throw .lastCall("connect", on: "tcp 127.0.0.1:\(port)")
        }
        return socket
    }

    /// Connects a UDP socket, so that it keeps its port for its whole life.
    static func connectUDP(port: UInt16) throws(BenchError) -> Descriptor {
        let socket = try make(.udp, nonblocking: true)
        try enlargeQueues(socket)
        guard start(socket, port: port) == 0 else { throw .lastCall("connect", on: "udp 127.0.0.1:\(port)") }
        return socket
    }

    /// Returns the port that a socket is bound to.
    static func port(of socket: borrowing Descriptor) throws(BenchError) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &length) }
        }
        guard result == 0 else { throw .lastCall("getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Makes a blocking socket non-blocking.
    static func makeNonblocking(_ number: Int32) throws(BenchError) {
        guard fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0 else { throw .lastCall("fcntl") }
    }

    /// Makes closing a socket reset its connection.
    static func resetOnClose(_ number: Int32) throws(BenchError) {
        var option = linger(l_onoff: 1, l_linger: 0)
        let length = socklen_t(MemoryLayout<linger>.size)
        guard setsockopt(number, SOL_SOCKET, SO_LINGER, &option, length) == 0 else { throw .lastCall("setsockopt") }
    }

    /// Sets one whole-number option.
    static func set(_ socket: borrowing Descriptor, _ level: Int32, _ name: Int32, _ value: Int32) throws(BenchError) {
        try set(socket.number, level, name, value)
    }

    /// Sets one whole-number option of a socket by its number.
    static func set(_ number: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(BenchError) {
        var value = value
        let length = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(number, level, name, &value, length) == 0 else { throw .lastCall("setsockopt") }
    }

    /// Makes a socket that is not bound.
    static func make(_ transport: Transport, nonblocking: Bool) throws(BenchError) -> Descriptor {
        let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        var type = Int32(bitPattern: kind.rawValue | SOCK_CLOEXEC.rawValue)
        if nonblocking { type |= Int32(bitPattern: SOCK_NONBLOCK.rawValue) }
        let number = socket(AF_INET, type, 0)
        guard number >= 0 else { throw .lastCall("socket") }
        return Descriptor(number)
    }

    /// The kernel takes what `net.core.rmem_max` allows and does not complain about the rest.
    private static func enlargeQueues(_ socket: borrowing Descriptor) throws(BenchError) {
        try set(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20)
        try set(socket, SOL_SOCKET, SO_SNDBUF, 4 << 20)
    }

    /// Bounds how long a blocking call on a socket waits.
    static func limitWaiting(_ socket: borrowing Descriptor, seconds: Int) throws(BenchError) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        guard setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &time, length) == 0,
            setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &time, length) == 0
        else { throw .lastCall("setsockopt") }
    }

    /// Connects a socket, or begins to; 0, or -1 and `errno`.
    static func start(_ socket: borrowing Descriptor, port: UInt16) -> Int32 {
        withLoopback(port: port) { Glibc.connect(socket.number, $0, $1) }
    }

    /// Writes 127.0.0.1 and a port as the kernel takes them.
    static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }

    /// Binds a socket to 127.0.0.1; port 0 lets the kernel choose.
    static func bind(_ socket: borrowing Descriptor, port: UInt16) throws(BenchError) {
        let result = withLoopback(port: port) { Glibc.bind(socket.number, $0, $1) }
        guard result == 0 else { throw .lastCall("bind", on: "127.0.0.1:\(port)") }
    }

    private static func withLoopback(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = loopback(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
