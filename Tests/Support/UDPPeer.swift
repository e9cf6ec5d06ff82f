import Glibc
import WeirRelay
package import WeirWire

/// A UDP socket in a test.
package struct UDPPeer: Sendable {
    package let socket: LoopbackSocket

    /// Binds the socket, as a server does.
    package init(at endpoint: Endpoint = .anyPortV4, receiveBuffer: Int32 = 4 << 20) throws {
        socket = try LoopbackSocket(.udp, for: endpoint.address)
        Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: receiveBuffer, on: socket.raw)
        try socket.bind(to: endpoint)
    }

    /// Connects the socket, as a client does: it receives only datagrams from that server.
    package init(to server: Endpoint) throws {
        socket = try LoopbackSocket(.udp, for: server.address)
        Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: 4 << 20, on: socket.raw)
        try socket.connect(to: server)
    }

    package var local: Endpoint? { socket.local }

    /// Sends one datagram, to the connected peer or to an endpoint.
    package func send(_ bytes: [UInt8], to endpoint: Endpoint? = nil) throws {
        let count: Int
        if let endpoint {
            var storage = sockaddr_storage()
            let length = SocketAddress.write(endpoint, to: &storage)
            count = withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
                }
            }
        } else {
            count = Glibc.send(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
        guard count == bytes.count else { throw LoopbackSocket.error("send a datagram of \(bytes.count) bytes") }
    }

    package func send(_ text: String, to endpoint: Endpoint? = nil) throws { try send(Array(text.utf8), to: endpoint) }

    /// Receives one datagram, and returns it with its source.
    package func receive() throws -> (bytes: [UInt8], from: Endpoint) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var storage = sockaddr_storage()
        var length = UInt32(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(socket.raw, &bytes, bytes.count, 0, $0, &length)
            }
        }
        guard count >= 0, let endpoint = SocketAddress.endpoint(&storage) else {
            throw LoopbackSocket.error("receive a datagram")
        }
        return (Array(bytes[..<count]), endpoint)
    }

    /// Receives one datagram as text.
    package func receiveText() throws -> String { String(decoding: try receive().bytes, as: UTF8.self) }

    /// Sends datagrams back until a given number of them has arrived.
    package func echo(_ count: Int) throws {
        for _ in 0..<count {
            let (bytes, client) = try receive()
            try send(bytes, to: client)
        }
    }

    /// Sends a datagram to 127.0.0.1 from another socket's source port, through a raw socket.
    package static func forge(_ bytes: [UInt8], fromPort source: UInt16, to endpoint: Endpoint) throws {
        let raw = Glibc.socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_UDP))
        guard raw >= 0 else { throw LoopbackSocket.error("make a raw socket") }
        let socket = UDPPeer(LoopbackSocket(owning: raw))
        var header: [UInt8] = []
        for number in [source, endpoint.port, UInt16(8 + bytes.count), 0] {
            header += [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
        }
        try socket.send(header + bytes, to: Endpoint(address: endpoint.address, port: 0))
    }

    private init(_ socket: LoopbackSocket) {
        self.socket = socket
    }

    /// The text of the route to this socket from a port that the kernel chooses.
    package var route: String {
        get throws {
            guard let local else { throw LoopbackSocket.error("ask for the local endpoint") }
            return "udp:\(local.address.isV4 ? "" : "[::1]:")0=\(local)"
        }
    }
}
