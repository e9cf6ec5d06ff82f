import Glibc
package import WeirEngine
import WeirRelay
package import WeirWire

/// One end of a TCP connection in a test.
package struct TCPPeer: Sendable {
    package let socket: LoopbackSocket

    /// The end of a stream.
    package enum Ending: Hashable, Sendable {
        case end
        case failed(ErrorNumber)
    }

    /// The result of checking a stream.
    package struct Received: Hashable, Sendable {
        package var count: Int
        /// The offset of the first byte that was not the expected one.
        package var firstDifference: Int?
        package var ending: Ending

        package init(_ count: Int, _ ending: Ending = .end) {
            self.count = count
            self.ending = ending
        }
    }

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - server: The endpoint to connect to.
    ///   - receiveBuffer: The size in bytes of the kernel's receive buffer; nil lets the kernel choose.
    /// - Throws: An error if the server refuses, or does not answer in time.
    package init(to server: Endpoint, receiveBuffer: Int32? = nil) throws {
        socket = try LoopbackSocket(.tcp, for: server.address)
        if let receiveBuffer { Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: receiveBuffer, on: socket.raw) }
        Socket.set(Int32(TCP_NODELAY), of: Int32(IPPROTO_TCP), to: 1, on: socket.raw)
        try socket.connect(to: server)
        socket.tally.begin(socket)
    }

    init(_ socket: LoopbackSocket) {
        self.socket = socket
        socket.tally.begin(socket)
    }

    package var local: Endpoint? { socket.local }
    package var remote: Endpoint? { socket.remote }

    // MARK: - Sending

    /// Sends all bytes.
    package func send(_ bytes: [UInt8], flags: Int32 = 0) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try bytes.withUnsafeBytes { try send(UnsafeRawBufferPointer(rebasing: $0[sent...]), flags) }
        }
    }

    /// Sends the whole text.
    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends bytes of a pattern.
    package func send(_ count: Int, of pattern: inout Pattern) throws {
        var left = count
        while left > 0 {
            left -= try pattern.withNext(limit: left) { bytes in
                let sent = try send(bytes, 0)
                return (sent, sent)
            }
        }
    }

    /// Sends bytes of a new pattern, then half-closes if `finishing`.
    package func send(_ count: Int, seed: UInt64, finishing: Bool = false) throws {
        var pattern = Pattern(seed: seed)
        try send(count, of: &pattern)
        if finishing { finish() }
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ flags: Int32) throws -> Int {
        let count = Glibc.send(socket.raw, bytes.baseAddress, bytes.count, flags | Int32(MSG_NOSIGNAL))
        guard count >= 0 else { throw LoopbackSocket.error("send \(bytes.count) bytes") }
        socket.tally.sent(count)
        return count
    }

    /// Sends until nothing has moved for a while, because every buffer up to a peer that does not read is full.
    package func sendUntilStuck(seed: UInt64) throws {
        var pattern = Pattern(seed: seed)
        socket.setPatience(.milliseconds(300))
        defer { socket.setPatience(LoopbackSocket.patience) }
        do {
            while true { try send(64 << 10, of: &pattern) }
        } catch let error as SystemError where error.error.rawValue == EAGAIN {}
    }

    /// Leaves bytes that belong to no flow, such as those of an opening, out of what is compared with the records.
    package func leaveOut(sent: Int, received: Int) { socket.tally.leaveOut(sent: sent, received: received) }

    /// Half-closes: no more bytes follow.
    package func finish() { shutdown(socket.raw, Int32(SHUT_WR)) }

    /// Resets the connection.
    package func reset() {
        Socket.resetOnClose(socket.raw)
        socket.close()
    }

    package func close() { socket.close() }

    /// The number of packets that the kernel has received for this connection.
    ///
    /// Source: `struct tcp_info` of tcp(7); `tcpi_segs_in` is the 32-bit number at byte 140.
    package var segmentsReceived: Int {
        var info = [UInt32](repeating: 0, count: 64)
        var length = socklen_t(256)
        guard getsockopt(socket.raw, Int32(IPPROTO_TCP), Int32(TCP_INFO), &info, &length) == 0 else { return 0 }
        return Int(info[35])
    }

    // MARK: - Receiving

    /// Receives a number of bytes, and no more.
    package func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let length = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[received...])
                return recv(socket.raw, rest.baseAddress, rest.count, 0)
            }
            guard length > 0 else {
                throw length < 0
                    ? LoopbackSocket.error("receive \(count) bytes after \(received)")
                    : SystemError("receive \(count) bytes after \(received), at the end", ErrorNumber(EPIPE))
            }
            received += length
            socket.tally.received(length)
        }
        return bytes
    }

    /// Receives everything up to the end or a reset.
    package func receiveToEnd() throws -> (bytes: [UInt8], ending: Ending) {
        var bytes: [UInt8] = []
        let ending = try receiveAll { bytes += $0 }
        return (bytes, ending)
    }

    /// Receives everything up to the end or a reset, and compares it with a pattern.
    ///
    /// - Parameters:
    ///   - seed: The seed of the pattern.
    ///   - isSlow: Whether to read in small pieces, with a pause now and then.
    /// - Returns: The number of bytes, the first one that differs, and the end.
    /// - Throws: An error if the end does not arrive in time.
    package func receiveToEnd(seed: UInt64, isSlow: Bool = false) throws -> Received {
        var pattern = Pattern(seed: seed)
        var received = Received(0)
        var pieces = 0
        received.ending = try receiveAll(size: isSlow ? 8 << 10 : 256 << 10) { bytes in
            received.count += bytes.count
            if received.firstDifference == nil { received.firstDifference = pattern.firstDifference(in: bytes) }
            pieces += 1
            if isSlow, pieces % 64 == 0 { poll(nil, 0, 1) }
        }
        return received
    }

    private func receiveAll(size: Int = 64 << 10, _ take: (UnsafeRawBufferPointer) -> Void) throws -> Ending {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = recv(socket.raw, buffer.baseAddress, size, 0)
            if count > 0 {
                socket.tally.received(count)
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } else if count == 0 {
                socket.tally.end()
                return .end
            } else if errno == EAGAIN {
                throw LoopbackSocket.error("receive to the end in time")
            } else if errno != EINTR {
                let error = ErrorNumber(errno)
                socket.tally.end()
                return .failed(error)
            }
        }
    }
}

/// A listener for TCP connections in a test.
package struct TCPServer: Sendable {
    package let socket: LoopbackSocket
    package let endpoint: Endpoint

    package init(at endpoint: Endpoint = .anyPortV4, backlog: Int32 = 1024) throws {
        socket = try LoopbackSocket(.tcp, for: endpoint.address)
        Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: socket.raw)
        try socket.bind(to: endpoint)
        guard listen(socket.raw, backlog) == 0, let local = socket.local else {
            throw LoopbackSocket.error("listen on \(endpoint)")
        }
        self.endpoint = local
    }

    package func accept() throws -> TCPPeer {
        let raw = Glibc.accept(socket.raw, nil, nil)
        guard raw >= 0 else { throw LoopbackSocket.error("accept") }
        return TCPPeer(LoopbackSocket(owning: raw))
    }

    /// The text of the route to this server from a port that the kernel chooses.
    package var route: String { "tcp:\(endpoint.address.isV4 ? "" : "[::1]:")0=\(endpoint)" }
}

extension TCPPeer {
    /// The number of bytes that the other end's kernel has not acknowledged.
    package var unsent: Int {
        var count: Int32 = 0
        // SIOCOUTQ of linux/sockios.h is TIOCOUTQ.
        return ioctl(socket.raw, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
    }
}

extension TCPPeer {
    /// The bounds of what this end gave the network: bytes that its kernel still holds may arrive or not.
    package var given: ClosedRange<Int> { socket.tally.given }
}

extension TCPPeer {
    /// Receives until a number of bytes is there, or until the end or a reset.
    package func receiveToEndOr(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(socket.raw, &bytes, count, Int32(MSG_WAITALL))
        guard received >= 0 || errno != EAGAIN else { throw LoopbackSocket.error("receive \(count) bytes in time") }
        socket.tally.received(received)
        if received < count { socket.tally.end() }
        return Array(bytes[..<max(0, received)])
    }
}
