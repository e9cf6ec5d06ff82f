import Glibc
import WeirEngine
package import WeirRelay
package import WeirWire

/// A blocking socket of a test, on the loopback; no call on it waits longer than `patience`.
package final class LoopbackSocket: Sendable {
    /// The maximum time of each wait: a test fails, and never hangs.
    package static let patience = Duration.seconds(10)

    /// The number of the descriptor; invalid after `close`.
    package let raw: Int32
    private let descriptor: Lock<Descriptor?>
    /// What a TCP peer sent and received by this socket.
    let tally = SocketTally()

    package convenience init(_ transport: Transport, for address: IPAddress) throws {
        self.init(owning: try Socket.make(transport, for: address).release())
    }

    package init(owning raw: Int32) {
        self.raw = raw
        descriptor = Lock(Descriptor(owning: raw))
        setBlocking(true)
        setPatience(Self.patience)
    }

    /// Whether the loopback has IPv6.
    package static var hasIPv6: Bool {
        guard let socket = try? LoopbackSocket(.udp, for: .loopbackV6) else { return false }
        return (try? Socket.bind(socket.raw, to: Endpoint(address: .loopbackV6, port: 0), attempt: "")) != nil
    }

    /// Limits each wait to send or to receive.
    package func setPatience(_ duration: Duration) {
        var time = timeval(
            tv_sec: Int(duration.inNanoseconds / 1_000_000_000),
            tv_usec: Int(duration.inNanoseconds % 1_000_000_000 / 1000)
        )
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &time, UInt32(MemoryLayout<timeval>.size))
        setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &time, UInt32(MemoryLayout<timeval>.size))
    }

    package func setBlocking(_ isBlocking: Bool) {
        let flags = fcntl(raw, F_GETFL)
        _ = fcntl(raw, F_SETFL, isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK)
    }

    /// The local endpoint, from `getsockname`.
    package var local: Endpoint? { Socket.localEndpoint(raw) }

    /// The peer's endpoint, from `getpeername`.
    package var remote: Endpoint? {
        var storage = sockaddr_storage()
        var length = UInt32(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(raw, $0, &length) }
        }
        return status == 0 ? SocketAddress.endpoint(&storage) : nil
    }

    package func bind(to endpoint: Endpoint) throws(SystemError) {
        try Socket.bind(raw, to: endpoint, attempt: "bind to \(endpoint)")
    }

    package func connect(to endpoint: Endpoint) throws(SystemError) {
        if let error = Socket.connect(raw, to: endpoint) { throw SystemError("connect to \(endpoint)", error) }
    }

    package func close() {
        descriptor.withLock { descriptor in
            if descriptor != nil { tally.close(raw) }
            descriptor = nil
        }
    }

    deinit { close() }

    static func error(_ attempt: String) -> SystemError { SystemError(attempt, ErrorNumber(errno)) }
}

extension Endpoint {
    /// 127.0.0.1 with a port that the kernel chooses.
    package static var anyPortV4: Endpoint { Endpoint(address: .loopbackV4, port: 0) }
    /// ::1 with a port that the kernel chooses.
    package static var anyPortV6: Endpoint { Endpoint(address: .loopbackV6, port: 0) }
}

extension IPAddress {
    /// A second address of the loopback, `127.0.0.2`.
    package static var secondLoopback: IPAddress { IPAddress(v4: 0x7f00_0002) }
}
