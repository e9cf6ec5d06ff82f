import CWeirBench
import Glibc

/// What all clients of a load share, or all connections of a server: TLS 1.3 with AES-256-GCM, nobody verified.
final class SecuredSide: @unchecked Sendable {  // Several threads may use an SSL_CTX once it is set up.
    /// The two sides of a connection.
    enum Role: Sendable {
        case client, server
    }

    /// Which side it is.
    let role: Role
    fileprivate let raw: OpaquePointer

    /// Makes a side; a server's has a new certificate with a P-256 key.
    init(_ role: Role) throws(BenchError) {
        guard let raw = weir_bench_tls_make_side(role == .server) else {
            throw .load("OpenSSL makes no context for TLS")
        }
        (self.role, self.raw) = (role, raw)
    }

    deinit {
        weir_bench_tls_free_side(raw)
    }
}

/// One end of a TLS connection on a non-blocking socket of its own.
final class SecuredSocket {
    /// What a read found.
    enum Arrival: Equatable {
        case bytes(Int)
        /// Nothing yet.
        case waits
        /// The end of the stream.
        case ended
    }

    private static let patience: Int32 = 30_000
    private let descriptor: Descriptor
    private let end: OpaquePointer

    /// Takes over a connected or connecting socket.
    init(_ side: SecuredSide, _ socket: consuming Descriptor) throws(BenchError) {
        try Socket.makeNonblocking(socket.number)
        guard let end = weir_bench_tls_open(side.raw, socket.number, side.role == .server) else {
            throw .load("OpenSSL makes no end of a connection")
        }
        self.end = end
        descriptor = socket
    }

    /// Connects to a port on 127.0.0.1 and completes the handshake.
    convenience init(_ side: SecuredSide, connectingTo port: UInt16) throws(BenchError) {
        try self.init(side, try Socket.connect(port: port))
        while !(try handshake()) { try wait(Int16(POLLIN)) }
    }

    deinit {
        weir_bench_tls_close(end)
    }

    /// The number of its socket.
    var number: Int32 { descriptor.number }

    /// Goes on with the handshake; true when it is complete.
    func handshake() throws(BenchError) -> Bool {
        let result = weir_bench_tls_handshake(end)
        if result == -EAGAIN { return false }
        guard result == 1 else { throw Self.failure("a TLS handshake", result) }
        return true
    }

    /// Reads what is there, at most one record.
    func read(into bytes: UnsafeMutableRawPointer, _ room: Int) throws(BenchError) -> Arrival {
        let count = weir_bench_tls_read(end, bytes, room)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .ended }
        guard count == -Int(EAGAIN) else { throw Self.failure("a TLS read", Int32(clamping: count)) }
        return .waits
    }

    /// Writes at most one record; nil when there is no room, and then the same bytes come next.
    func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(BenchError) -> Int? {
        let written = weir_bench_tls_write(end, bytes, count)
        if written == -Int(EAGAIN) { return nil }
        guard written > 0 else { throw Self.failure("a TLS write", Int32(clamping: written)) }
        return written
    }

    /// Writes all, waiting for room.
    func writeWhole(_ bytes: UnsafeRawPointer, _ count: Int) throws(BenchError) {
        var sent = 0
        while sent < count {
            if let written = try write(bytes + sent, count - sent) {
                sent += written
            } else {
                try wait(Int16(POLLOUT))
            }
        }
    }

    /// Reads until so many bytes have come.
    func readWhole(into bytes: UnsafeMutableRawPointer, _ count: Int) throws(BenchError) {
        var received = 0
        while received < count {
            switch try read(into: bytes + received, count - received) {
            case .bytes(let more): received += more
            case .waits: try wait(Int16(POLLIN))
            case .ended: throw .load("a TLS connection ended after (\(received) bytes) of (\(count) bytes)")
            }
        }
    }

    /// Says that nothing follows (close_notify).
    func finish() { weir_bench_tls_finish(end) }

    private func wait(_ events: Int16) throws(BenchError) {
        var polled = pollfd(fd: number, events: events, revents: 0)
        guard poll(&polled, 1, Self.patience) > 0 else { throw .load("a TLS connection did not go on within 30 s") }
    }

    private static func failure(_ what: String, _ result: Int32) -> BenchError {
        result == -EPROTO ? .load("\(what) failed") : .system(call: what, errno: -result, on: nil)
    }
}
