import CWeir
import Foundation
import Glibc
import WeirRelay
package import WeirWire

/// A crowd of TCP clients on one thread: each one connects, sends its number, and waits for the number to come back.
///
/// They connect from several loopback addresses, so that there are enough ports for all of them.
package final class Crowd {
    private enum Stage { case absent, connecting, waiting, served }

    private let server: Endpoint
    private let atOnce: Int
    private let epoll: Descriptor
    private var stages: [Stage]
    private var sockets: [Int32]
    private var next = 0
    private var open = 0
    /// The number of clients whose number came back.
    package private(set) var served = 0

    /// Creates a crowd that does not connect yet.
    ///
    /// - Parameters:
    ///   - count: The number of clients.
    ///   - atOnce: The maximum number of sockets open at once.
    ///   - server: The endpoint to connect to.
    /// - Throws: If there is no epoll.
    package init(_ count: Int, atOnce: Int, to server: Endpoint) throws {
        let raw = weir_epoll_create()
        guard raw >= 0 else { throw LoopbackSocket.error("make an epoll") }
        epoll = Descriptor(owning: raw)
        self.server = server
        self.atOnce = atOnce
        stages = Array(repeating: .absent, count: count)
        sockets = Array(repeating: -1, count: count)
    }

    deinit {
        for socket in sockets where socket >= 0 { close(socket) }
    }

    /// Raises this process's limit on descriptors as far as allowed, and returns the number of free sockets.
    ///
    /// Descriptors that other tests have open are subtracted, and a hundred are reserved for everything beside the
    /// crowd.
    package static func room() throws -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        return Int(clamping: limit.rlim_max) - (try descriptors(of: "self").count) - 100
    }

    /// Runs the clients until at least `count` of them have been served.
    ///
    /// - Parameters:
    ///   - count: The number of clients to serve.
    ///   - resets: Whether each client resets its connection after it is served, which makes room for another.
    ///   - deadline: The deadline for it.
    /// - Throws: If a client is refused, reset or answered wrongly, and if it takes too long.
    package func serve(_ count: Int, resets: Bool, by deadline: Deadline) throws {
        if resets {
            for client in 0..<next where stages[client] == .served && sockets[client] >= 0 { reset(client) }
        }
        var events = [weir_event](repeating: weir_event(), count: 256)
        while served < count {
            try begin()
            if deadline.isOver { throw HelperError("\(served) of \(count) clients were served, \(open) are open") }
            let ready = weir_epoll_wait(epoll.raw, &events, Int32(events.count), 50_000_000)
            for index in 0..<max(0, Int(ready)) {
                let client = Int(events[index].token)
                try advance(client, events[index].events)
                if resets, stages[client] == .served, sockets[client] >= 0 { reset(client) }
            }
        }
    }

    /// Starts to connect further clients, as many as are allowed at once.
    private func begin() throws {
        while next < sockets.count, open < atOnce {
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard raw >= 0 else { throw LoopbackSocket.error("make the socket of client \(next)") }
            sockets[next] = raw
            stages[next] = .connecting
            open += 1
            // The port is chosen at the connect, for this server alone: IP_BIND_ADDRESS_NO_PORT.
            Socket.set(24, of: Int32(IPPROTO_IP), to: 1, on: raw)
            let source = IPAddress(v4: 0x7f00_0101 + UInt32(next % 8))
            try Socket.bind(raw, to: Endpoint(address: source, port: 0), attempt: "bind client \(next)")
            if let error = Socket.connect(raw, to: server) { throw SystemError("connect client \(next)", error) }
            let wanted = UInt32(WEIR_IN) | UInt32(WEIR_OUT) | UInt32(1) << 31
            guard weir_epoll_add(epoll.raw, raw, wanted, UInt64(next)) >= 0 else {
                throw HelperError("client \(next) cannot be watched")
            }
            next += 1
        }
    }

    private func advance(_ client: Int, _ events: UInt32) throws {
        let raw = sockets[client]
        guard raw >= 0 else { return }
        if let error = Socket.pendingError(raw) { throw SystemError("be served as client \(client)", error) }
        if stages[client] == .connecting, events & UInt32(WEIR_OUT) != 0 {
            var number = UInt32(client)
            guard send(raw, &number, 4, Int32(MSG_NOSIGNAL)) == 4 else {
                throw LoopbackSocket.error("send as client \(client)")
            }
            stages[client] = .waiting
        }
        guard stages[client] == .waiting else { return }
        var number: UInt32 = 0
        let count = recv(raw, &number, 4, 0)
        if count < 0, errno == EAGAIN { return }
        guard count == 4, number == UInt32(client) else {
            throw HelperError("client \(client) got \(number), (\(count))")
        }
        stages[client] = .served
        served += 1
    }

    private func reset(_ client: Int) {
        Socket.resetOnClose(sockets[client])
        close(sockets[client])
        sockets[client] = -1
        open -= 1
    }
}
