import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// One client of the demo: a plain blocking socket, as any program would use.
final class DemoClient {
    private let descriptor: Descriptor
    private let transport: Transport

    init(_ transport: Transport, to server: Endpoint) throws(SystemError) {
        self.transport = transport
        let descriptor = try Socket.make(transport, for: server.address)
        let raw = descriptor.raw
        self.descriptor = descriptor
        let flags = fcntl(raw, F_GETFL)
        _ = fcntl(raw, F_SETFL, flags & ~O_NONBLOCK)
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if let error = Socket.connect(raw, to: server) { throw SystemError("connect to \(server)", error) }
    }

    /// Sends a message, and waits until all of it came back.
    func exchange(_ message: String) throws(SystemError) {
        let bytes = Array(message.utf8)
        guard Glibc.send(descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw SystemError("send to the relay", ErrorNumber(errno))
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while answer.count < bytes.count {
            let count = recv(descriptor.raw, &buffer, buffer.count, 0)
            guard count > 0 else {
                throw SystemError("receive from the relay", ErrorNumber(count == 0 ? ECONNRESET : errno))
            }
            answer += buffer[..<count]
        }
        guard answer == bytes else { throw SystemError("get the same bytes back", ErrorNumber(EIO)) }
    }

    /// Half-closes the connection, and waits for the server's last byte.
    func finish() {
        guard transport == .tcp else { return }
        shutdown(descriptor.raw, Int32(SHUT_WR))
        var byte: UInt8 = 0
        while recv(descriptor.raw, &byte, 1, 0) > 0 {}
    }
}
