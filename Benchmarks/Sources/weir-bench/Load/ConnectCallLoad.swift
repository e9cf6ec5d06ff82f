import Glibc
import Histogram

/// Connects and closes, one connection after another; the time is that of `connect` alone.
///
/// With a port of its own, on which nobody listens, each must be refused.
final class ConnectCallLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private let duration: UInt64
    private let limit: UInt64
    private let port: UInt16
    /// The socket whose port is connected to and refuses; nil if connections succeed.
    private let closed: Int32?
    private let sockets = DescriptorTable()

    /// Prepares.
    init(_ settings: LoadSettings) throws(BenchError) {
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        limit = UInt64(max(1, settings.connectionLimit))
        guard settings.kind == .refusedCall else {
            (port, closed) = (settings.port, nil)
            return
        }
        let socket = try Socket.make(.tcp, nonblocking: false)
        try Socket.bind(socket, port: 0)
        port = try Socket.port(of: socket)
        closed = socket.number
        sockets.append(socket)
    }

    func run() throws(BenchError) -> LoadOutcome {
        var outcome = LoadOutcome()
        var latencies = LoadOutcome.emptyHistogram()
        let deadline = Clock.nanoseconds() + duration
        var end: UInt64 = 0
        while end < deadline && outcome.operations < limit {
            let socket = try Socket.make(.tcp, nonblocking: false)
            let start = Clock.nanoseconds()
            let status = Socket.start(socket, port: port)
            end = Clock.nanoseconds()
            let isExpected = closed == nil ? status == 0 : status < 0 && errno == ECONNREFUSED
            guard isExpected else {
                if status < 0 { throw .lastCall("connect", on: "tcp 127.0.0.1:\(port)") }
                throw .load("a port on which nobody listens took a connection")
            }
            latencies.record(end &- start)
            outcome.operations &+= 1
        }
        (outcome.end, outcome.latencies) = (Clock.nanoseconds(), latencies)
        return outcome
    }
}
