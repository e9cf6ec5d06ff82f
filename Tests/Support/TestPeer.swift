import CWeir
import Glibc
import WeirFlow
import WeirRelay
public import WeirWire

/// Listens for TCP connections on a port of the loopback that the kernel chose.
public final class TestListener: Sendable {
    private let raw: Int32
    /// Names where it listens.
    public let endpoint: Endpoint

    /// Binds, and listens unless told otherwise: the port then refuses, and nobody else can take it.
    public init(_ address: IPAddress = .loopbackV4, backlog: Int32? = 16) throws {
        let descriptor = try Socket.make(.tcp, for: address)
        try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: "listen in a test")
        guard let endpoint = Socket.localEndpoint(descriptor.raw) else { throw HelperError("no local endpoint") }
        self.endpoint = endpoint
        if let backlog { listen(descriptor.raw, backlog) }
        raw = descriptor.release()
    }

    deinit {
        close(raw)
    }

    /// Waits for a client.
    public func accept() throws -> TestPeer {
        try Deadline().wait(for: raw, POLLIN)
        var storage = sockaddr_storage()
        let peer = weir_accept(raw, &storage)
        guard peer >= 0, let remote = SocketAddress.endpoint(&storage) else { throw HelperError("accept: \(peer)") }
        return TestPeer(peer, remote: remote)
    }
}

/// Is the server's side of one TCP connection.
public final class TestPeer: Sendable {
    private let raw: Int32
    private let deadline = Deadline()
    /// Names the client.
    public let remote: Endpoint

    init(_ raw: Int32, remote: Endpoint) {
        self.raw = raw
        self.remote = remote
    }

    deinit {
        close(raw)
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) throws { try writeAll(bytes, to: raw, until: deadline) }

    /// Receives so many bytes, or fewer where the client ended.
    public func receive(_ count: Int) throws -> [UInt8] { try readUpTo(count, from: raw, until: deadline) }

    /// Receives until the client ends.
    public func receiveAll() throws -> [UInt8] { try receive(.max) }

    /// Sends back what comes until the client ends, then ends too.
    public func echo() throws {
        while true {
            try deadline.wait(for: raw, POLLIN)
            guard let bytes = try readOnce(raw, 1 << 16) else { continue }
            if bytes.isEmpty { return finish() }
            try send(bytes)
        }
    }

    /// Ends its own half.
    public func finish() { shutdown(raw, Int32(SHUT_WR)) }

    /// Resets the connection once the client's kernel has all that was sent.
    public func reset() throws {
        while weir_unsent(raw) > 0 {
            if deadline.isOver { throw HelperError("the client's kernel did not take everything") }
            sched_yield()
        }
        Socket.resetOnClose(raw)
        // The number stays in use until `deinit`: an unconnected socket takes its place, and the connection is reset.
        let spare = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        dup2(spare, raw)
        close(spare)
    }
}

/// Is a UDP server on a port of the loopback that the kernel chose.
public final class TestDatagrams: Sendable {
    private let raw: Int32
    private let deadline = Deadline()
    /// Names where it receives.
    public let endpoint: Endpoint

    /// Binds.
    public init(_ address: IPAddress = .loopbackV4) throws {
        let descriptor = try Socket.make(.udp, for: address)
        try Socket.bind(descriptor.raw, to: Endpoint(address: address, port: 0), attempt: "receive in a test")
        guard let endpoint = Socket.localEndpoint(descriptor.raw) else { throw HelperError("no local endpoint") }
        self.endpoint = endpoint
        raw = descriptor.release()
    }

    deinit {
        close(raw)
    }

    /// Receives one datagram, and says who sent it.
    public func receive() throws -> (bytes: [UInt8], from: Endpoint) {
        try deadline.wait(for: raw, POLLIN)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bytes.withUnsafeMutableBytes { recvfrom(raw, $0.baseAddress, $0.count, 0, address, &length) }
            }
        }
        guard count >= 0, let from = SocketAddress.endpoint(&storage) else { throw HelperError("recvfrom: \(errno)") }
        return (Array(bytes[..<count]), from)
    }

    /// Sends one datagram.
    public func send(_ bytes: [UInt8], to endpoint: Endpoint) throws {
        var storage = sockaddr_storage()
        let length = SocketAddress.write(endpoint, to: &storage)
        let count = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bytes.withUnsafeBytes { sendto(raw, $0.baseAddress, $0.count, 0, address, length) }
            }
        }
        guard count == bytes.count else { throw HelperError("sendto: errno \(errno)") }
    }
}
