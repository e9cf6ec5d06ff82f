import CWeirBench
import Glibc

/// Serves TCP on one thread: one epoll set, one read buffer, a count for each connection.
final class StreamServer: @unchecked Sendable {  // Used by one thread: the one that calls `run`.
    private let kind: ServerKind
    private let listener: Int32
    private let smallQueues: Bool
    /// The flags of every read: the sink has the kernel throw the bytes away without copying them, so that the server
    /// takes as little as it can of the processor that the relay is measured on.
    private let flags: Int32
    private let poller: Poller
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: Agreed.chunk, alignment: 4096)
    /// The bytes that came in on each descriptor.
    private var received: ContiguousArray<UInt64>

    /// Prepares to serve the connections of a listener, which stays the caller's.
    init(kind: ServerKind, listener: Int32, smallQueues: Bool) throws(BenchError) {
        self.kind = kind
        self.listener = listener
        self.smallQueues = smallQueues
        flags = kind == .sink ? Int32(MSG_TRUNC) : 0
        poller = try Poller()
        received = ContiguousArray(repeating: 0, count: 65536)
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
            read(Int32(truncatingIfNeeded: $0))
        }
    }

    private func accept() throws(BenchError) {
        while true {
            let connection = weir_bench_accept(listener)
            if connection == -EAGAIN || connection == -ECONNABORTED { return }
            guard connection >= 0 else { throw .system(call: "accept4", errno: -connection, on: nil) }
            guard Int(connection) < received.count else {
                close(connection)
                continue
            }
            received[Int(connection)] = 0
            try Socket.set(connection, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if smallQueues { try Socket.set(connection, SOL_SOCKET, SO_RCVBUF, Agreed.smallQueue) }
            try poller.add(connection, events: Poller.readable, tag: Int(connection))
            if kind == .sink {
                var greeting: UInt8 = 0x57
                send(connection, &greeting, 1, Int32(MSG_NOSIGNAL))
            }
        }
    }

    @inline(__always)
    private func read(_ connection: Int32) {
        let count = recv(connection, buffer, Agreed.chunk, flags)
        if count < 0 {
            if errno != EAGAIN && errno != EINTR { close(connection) }
            return
        }
        received[Int(connection)] &+= UInt64(count)
        switch kind {
        case .sink:
            if count == 0 { answerCount(connection) }
        case .echo:
            if count == 0 || !sendAll(connection, count) { close(connection) }
        case .once:
            let done = count == 0 || !sendAll(connection, count) || received[Int(connection)] >= Agreed.message
            if done { close(connection) }
        case .datagrams, .silent, .securedSink, .securedEcho, .securedOnce:
            close(connection)
        }
    }

    private func answerCount(_ connection: Int32) {
        var total = received[Int(connection)].littleEndian
        send(connection, &total, Agreed.count, Int32(MSG_NOSIGNAL))
        close(connection)
    }

    /// Sends what was just read; waits where the other side does not read its echo.
    private func sendAll(_ connection: Int32, _ count: Int) -> Bool {
        var sent = 0
        while sent < count {
            let result = send(connection, buffer + sent, count - sent, Int32(MSG_NOSIGNAL))
            if result >= 0 {
                sent += result
                continue
            }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return false }
            var wanted = pollfd(fd: connection, events: Int16(POLLOUT), revents: 0)
            if poll(&wanted, 1, 5000) <= 0 { return false }
        }
        return true
    }
}
