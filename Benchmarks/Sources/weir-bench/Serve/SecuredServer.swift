import CWeirBench
import Glibc

/// Serves TLS over TCP on one thread: one epoll set, one read buffer, one end for each connection.
final class SecuredServer: @unchecked Sendable {  // Used by one thread: the one that calls `run`.
    private final class Connection {
        let socket: SecuredSocket
        var isSecured = false
        var received = 0
        /// Whether the piece of the stream that is arriving is the last one.
        var isLast = false

        init(_ socket: SecuredSocket) { self.socket = socket }
    }

    private static let mostConnections = 65536
    private let kind: ServerKind
    private let listener: Int32
    private let side: SecuredSide
    private let poller: Poller
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4096)
    /// The connections by their descriptors.
    private var connections: [Connection?]

    /// Prepares to serve the connections of a listener, which stays the caller's.
    init(kind: ServerKind, listener: Int32) throws(BenchError) {
        (self.kind, self.listener) = (kind, listener)
        side = try SecuredSide(.server)
        poller = try Poller()
        connections = Array(repeating: nil, count: Self.mostConnections)
        try poller.add(listener, events: Poller.readable | Poller.exclusive, tag: Int(listener))
    }

    deinit {
        buffer.deallocate()
    }

    /// Serves until the process ends, or until it is stopped.
    func run(until stop: StopFlag? = nil) throws(BenchError) {
        try poller.serve(listener, until: stop) { () throws(BenchError) in
            try accept()
        } connection: {
            serve($0)
        }
    }

    private func accept() throws(BenchError) {
        while true {
            let number = weir_bench_accept(listener)
            if number == -EAGAIN || number == -ECONNABORTED { return }
            guard number >= 0 else { throw .system(call: "accept4", errno: -number, on: nil) }
            let descriptor = Descriptor(number)
            guard Int(number) < connections.count else { continue }
            try Socket.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            let socket = try SecuredSocket(side, descriptor)
            try poller.add(number, events: Poller.readable, tag: Int(number))
            connections[Int(number)] = Connection(socket)
        }
    }

    private func serve(_ place: Int) {
        guard let connection = connections[place] else { return }
        do throws(BenchError) {
            guard try goOn(connection) else { return }
            connection.socket.finish()
        } catch {
            // The client, or the relay, is gone; a load that misses something says so.
        }
        connections[place] = nil
    }

    /// Does what can be done on one connection; true when it is over.
    private func goOn(_ connection: Connection) throws(BenchError) -> Bool {
        if !connection.isSecured {
            guard try connection.socket.handshake() else { return false }
            connection.isSecured = true
            if kind == .securedSink {
                var greeting: UInt8 = 0x57
                try connection.socket.writeWhole(&greeting, 1)
            }
        }
        guard let room = buffer.baseAddress else { return true }
        while true {
            switch try connection.socket.read(into: room, buffer.count) {
            case .waits: return false
            case .ended: return true
            case .bytes(let count): if try take(count, from: room, connection) { return true }
            }
        }
    }

    /// Handles what was just read, which is no longer than a piece; true when the connection is over.
    private func take(_ count: Int, from room: UnsafeMutableRawPointer, _ connection: Connection) throws(BenchError)
        -> Bool
    {
        guard kind == .securedSink else {
            try connection.socket.writeWhole(room, count)
            connection.received += count
            return kind == .securedOnce && connection.received >= Agreed.message
        }
        let place = connection.received % Agreed.chunk
        let nextPiece = place == 0 ? 0 : Agreed.chunk - place
        if nextPiece < count { connection.isLast = buffer[nextPiece] == Agreed.lastPiece }
        connection.received += count
        guard connection.isLast, connection.received.isMultiple(of: Agreed.chunk) else { return false }
        var total = UInt64(connection.received).littleEndian
        try connection.socket.writeWhole(&total, Agreed.count)
        return true
    }
}
