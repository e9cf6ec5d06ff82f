import Glibc
import Histogram

/// Sends and receives 64-byte datagrams on one socket that is not connected; the time is that of the calls.
final class DatagramCallLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    /// Datagrams that wait in the socket at once, before they are received.
    private static let batch = 64
    /// The time for a batch to come back after its first datagram, in microseconds.
    private static let pause: UInt32 = 4000
    private let kind: LoadKind
    private let duration: UInt64
    private let sockets = DescriptorTable()
    private let socket: Int32
    private var server: sockaddr_in
    private var source = sockaddr_in()
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: Agreed.message, alignment: 64)
    private var outcome = LoadOutcome()
    private var latencies = LoadOutcome.emptyHistogram()

    /// Opens the socket.
    init(_ settings: LoadSettings) throws(BenchError) {
        kind = settings.kind
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        server = Socket.loopback(port: settings.port)
        buffer.initializeMemory(as: UInt8.self, repeating: 0x55, count: Agreed.message)
        let socket = try Socket.make(.udp, nonblocking: false)
        try Socket.limitWaiting(socket, seconds: 1)
        self.socket = socket.number
        sockets.append(socket)
    }

    deinit {
        buffer.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        // The first datagram has the way made.
        try send()
        while Clock.nanoseconds() < deadline {
            switch kind {
            case .sendCall: for _ in 0..<Self.batch { try timed { () throws(BenchError) in try send() } }
            case .receiveCall: try receiveBatch()
            default: try timed { () throws(BenchError) in try exchange() }
            }
        }
        guard outcome.operations > 0 else { throw .load("no datagram came back") }
        outcome.end = Clock.nanoseconds()
        outcome.bytes = outcome.operations * UInt64(Agreed.message)
        outcome.latencies = latencies
        return outcome
    }

    @inline(__always)
    private func timed(_ body: () throws(BenchError) -> Void) throws(BenchError) {
        let start = Clock.nanoseconds()
        try body()
        latencies.record(Clock.nanoseconds() &- start)
        outcome.operations &+= 1
    }

    @inline(__always)
    private func send() throws(BenchError) {
        let count = withUnsafePointer(to: &server) { server in
            server.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, buffer, Agreed.message, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard count == Agreed.message else { throw .lastCall("sendto", on: "udp 127.0.0.1") }
    }

    /// Receives a datagram with its source; false if none is there.
    @inline(__always)
    private func receive(_ flags: Int32) throws(BenchError) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &source) { source in
            source.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(socket, buffer, Agreed.message, flags, $0, &length)
            }
        }
        if count < 0, errno == EAGAIN { return false }
        guard count == Agreed.message else { throw .lastCall("recvfrom", on: "udp 127.0.0.1") }
        guard source.sin_port == server.sin_port else {
            throw .load("a datagram came from another port than the server's")
        }
        return true
    }

    private func receiveBatch() throws(BenchError) {
        for _ in 0..<Self.batch { try send() }
        var polled = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, 1000)
        usleep(Self.pause)
        let before = outcome.operations
        while true {
            let start = Clock.nanoseconds()
            guard try receive(Int32(MSG_DONTWAIT)) else { break }
            latencies.record(Clock.nanoseconds() &- start)
            outcome.operations &+= 1
        }
        outcome.lost &+= UInt64(max(0, Self.batch - Int(outcome.operations - before)))
    }

    private func exchange() throws(BenchError) {
        try send()
        guard try receive(0) else { throw .load("a datagram did not come back within 1 s") }
    }
}
