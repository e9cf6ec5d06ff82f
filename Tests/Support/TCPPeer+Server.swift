import Glibc
import WeirRelay
package import WeirWire

extension TCPPeer {
    /// Sends back the received bytes until the other side ends, then ends too.
    package func echo() throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(socket.raw, &buffer, buffer.count, 0)
            guard count >= 0 else { throw LoopbackSocket.error("receive what to echo") }
            if count == 0 {
                socket.tally.end()
                return finish()
            }
            socket.tally.received(count)
            try send(Array(buffer[..<count]))
        }
    }

    /// Resets the connection once the other side's kernel has received everything sent.
    package func resetAfterDelivery() throws {
        let deadline = Deadline()
        while unsent > 0 {
            if deadline.isOver { throw HelperError("the other side's kernel did not take everything") }
            sched_yield()
        }
        reset()
    }
}

/// A TCP port that refuses every connection, and that no other socket can take.
package struct RefusingPort: Sendable {
    private let socket: LoopbackSocket
    /// The port.
    package let endpoint: Endpoint

    /// Binds a port without listening.
    package init() throws {
        socket = try LoopbackSocket(.tcp, for: .loopbackV4)
        try socket.bind(to: .anyPortV4)
        guard let local = socket.local else { throw LoopbackSocket.error("ask for the local endpoint") }
        endpoint = local
    }
}

extension Pattern {
    /// Returns the first bytes of a pattern.
    package static func bytes(_ count: Int) -> [UInt8] {
        var pattern = Pattern(seed: 1)
        return pattern.next(count)
    }
}
