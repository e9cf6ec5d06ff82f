import Glibc

/// Sends a stream by `sendmsg`, each of the same size, then has the server say how much arrived.
final class MessageLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private let duration: UInt64
    private let size: Int
    private let connections = DescriptorTable()
    private let socket: Int32
    private let content: UnsafeMutableRawPointer

    /// Opens the stream; it is through to the server when its greeting has come.
    init(_ settings: LoadSettings) throws(BenchError) {
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        size = max(1, settings.size)
        content = .allocate(byteCount: size, alignment: 4096)
        content.initializeMemory(as: UInt8.self, repeating: 0x55, count: size)
        let connection = try Socket.connect(port: settings.port)
        socket = connection.number
        connections.append(connection)
        var greeting: UInt8 = 0
        guard recv(socket, &greeting, 1, 0) == 1 else { throw .load("the server's greeting did not come") }
    }

    deinit {
        content.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        var outcome = LoadOutcome()
        let deadline = Clock.nanoseconds() + duration
        var vector = iovec(iov_base: content, iov_len: size)
        var sent: UInt64 = 0
        while Clock.nanoseconds() < deadline {
            let count = withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                (message.msg_iov, message.msg_iovlen) = (vector, 1)
                return sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw .lastCall("sendmsg", on: "a stream after (\(sent) bytes)") }
            sent &+= UInt64(count)
            outcome.operations &+= 1
        }
        guard shutdown(socket, Int32(SHUT_WR)) == 0 else { throw .lastCall("shutdown", on: "a stream") }
        var arrived: UInt64 = 0
        let count = recv(socket, &arrived, Agreed.count, Int32(MSG_WAITALL))
        outcome.end = Clock.nanoseconds()
        outcome.bytes = UInt64(littleEndian: arrived)
        guard count == Agreed.count, outcome.bytes == sent else {
            throw .load("(\(outcome.bytes) bytes) of (\(sent) bytes) arrived on a stream")
        }
        return outcome
    }
}
