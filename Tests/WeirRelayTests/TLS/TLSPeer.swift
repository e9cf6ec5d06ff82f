import Glibc
import Support
import WeirDissect
import WeirEngine
import WeirRelay
import WeirTLS
import WeirWire

/// One end of a TLS connection over a real socket, for tests; every call waits at most ten seconds.
///
/// One thread uses it at a time.
final class TLSPeer: @unchecked Sendable {
    /// How the stream of the other side ended.
    enum Ending: Hashable {
        /// close_notify; the connection may go on.
        case closeNotify
        /// A FIN without close_notify.
        case truncated
        /// A reset, an alert or damage.
        case failed
    }

    let end: TLSEnd
    private var raw: Int32
    /// What went over the socket, as it was there.
    private(set) var wireSent: [UInt8] = []
    private(set) var wireReceived: [UInt8] = []
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    private let arrived = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)

    /// Connects a client.
    init(to endpoint: Endpoint, _ end: TLSEnd) throws {
        self.end = end
        raw = try Self.socket()
        try Self.with(endpoint) { address, length in
            guard connect(raw, address, length) == 0 else { throw Self.error("connect") }
        }
    }

    /// Takes over an accepted connection.
    init(_ accepted: Int32, _ end: TLSEnd) {
        (raw, self.end) = (accepted, end)
        Self.setPatience(accepted)
    }

    deinit {
        if raw >= 0 { close(raw) }
        room.deallocate()
        arrived.deallocate()
        plain.deallocate()
    }

    // MARK: - Sockets

    /// Listens on a port of the loopback, and returns the socket and its endpoint.
    static func listen() throws -> (raw: Int32, endpoint: Endpoint) {
        let raw = try socket()
        try with(Endpoint(address: .loopbackV4, port: 0)) { address, length in
            guard bind(raw, address, length) == 0, Glibc.listen(raw, 16) == 0 else { throw Self.error("listen") }
        }
        guard let endpoint = Socket.localEndpoint(raw) else { throw Self.error("listen") }
        return (raw, endpoint)
    }

    /// Accepts a connection.
    static func accept(_ listener: Int32) throws -> Int32 {
        let raw = Glibc.accept(listener, nil, nil)
        guard raw >= 0 else { throw Self.error("accept") }
        return raw
    }

    private static func socket() throws -> Int32 {
        let raw = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard raw >= 0 else { throw error("make a socket") }
        setPatience(raw)
        return raw
    }

    private static func setPatience(_ raw: Int32) {
        var time = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(raw, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func with(_ endpoint: Endpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) rethrows
    {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = endpoint.address.v4.bigEndian
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func error(_ attempt: String) -> SystemError { SystemError(attempt, ErrorNumber(errno)) }

    // MARK: - TLS

    /// Does the handshake; returns its outcome.
    func handshake() throws -> TLSEnd.Handshake {
        var progress = try work(0) { end.handshake() }
        while progress == .waits { progress = try work(try receive()) { end.handshake() } }
        return progress
    }

    /// Lends bytes that have arrived while the engine works, and sends what it has to send.
    private func work<Result>(_ count: Int, _ body: () -> Result) throws -> Result {
        end.receive(UnsafeRawBufferPointer(rebasing: arrived[..<count]), room: room)
        let result = body()
        try flush()
        _ = end.settle()
        return result
    }

    /// Begins a handshake, and gives it up with an alert when the other side has answered, as a client does that distrusts a server.
    func giveUp(with alert: TLSAlert) throws {
        _ = try work(0) { end.handshake() }
        _ = try receive()
        try sendUnencrypted(alert.record)
    }

    /// The first bytes that the handshake sends, which are not sent.
    func makeHello() -> [UInt8] {
        end.receive(UnsafeRawBufferPointer(start: nil, count: 0), room: room)
        _ = end.handshake()
        defer { end.sent(end.outgoing.count) }
        return Array(end.outgoing)
    }

    /// Sends bytes as they are.
    func sendUnencrypted(_ bytes: [UInt8]) throws {
        guard Glibc.send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Self.error("send") }
        wireSent += bytes
    }

    /// Receives a number of bytes as they come, or fewer at an end.
    func receiveUnencrypted(_ wanted: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < wanted {
            let count = recv(raw, arrived.baseAddress, min(arrived.count, wanted - bytes.count), 0)
            guard count >= 0 else { throw Self.error("receive") }
            if count == 0 { break }
            bytes += arrived[..<count]
            wireReceived += arrived[..<count]
        }
        return bytes
    }

    /// Reads a client's ClientHello, and leaves it in the socket.
    static func peek(_ accepted: Int32) throws -> ClientHello {
        setPatience(accepted)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(accepted, &bytes, bytes.count, Int32(MSG_PEEK))
        var gate = HelloGate()
        guard count > 0, case .hello(let hello) = gate.feed(Array(bytes.prefix(count)).span.bytes) else {
            throw error("read a hello")
        }
        return hello
    }

    /// Updates the keys of both sides (TLS 1.3).
    func updateKeys() throws -> Bool { try work(0) { end.updateKeys() } }

    private func flush() throws {
        while !end.outgoing.isEmpty {
            let count = Glibc.send(raw, end.outgoing.baseAddress, end.outgoing.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { throw Self.error("send") }
            wireSent += end.outgoing[..<count]
            end.sent(count)
        }
    }

    private func receive() throws -> Int {
        let count = recv(raw, arrived.baseAddress, arrived.count, 0)
        guard count >= 0 else { throw Self.error("receive") }
        wireReceived += arrived[..<count]
        if count == 0 { end.inputEnded() }
        return count
    }

    /// Receives to the end of the connection what nobody reads.
    func drain() throws { while try receive() > 0 {} }

    /// Resets the connection.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(raw, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close(raw)
        raw = -1
    }

    /// Sends bytes.
    func send(_ bytes: [UInt8]) throws {
        var at = 0
        while at < bytes.count {
            let next = min(bytes.count, at + 100_000)
            try bytes[at..<next].withUnsafeBytes { piece in
                _ = try work(0) { end.write(piece) }
            }
            at = next
        }
    }

    /// Receives bytes up to a number, or to the end.
    func receive(_ wanted: Int) throws -> (bytes: [UInt8], ending: Ending?) {
        var bytes: [UInt8] = []
        var count = 0
        while bytes.count < wanted {
            switch try work(count, { end.read(into: plain) }) {
            case .bytes(let read): bytes += plain[..<read]
            case .ended: return (bytes, .closeNotify)
            case .truncated: return (bytes, .truncated)
            case .failed: return (bytes, .failed)
            case .waits:
                do {
                    count = try receive()
                } catch let error as SystemError where error.error == .connectionReset {
                    return (bytes, .failed)
                }
                continue
            }
            count = 0
        }
        return (bytes, nil)
    }

    /// Ends what is sent.
    ///
    /// - Parameters:
    ///   - says: whether to say so (close_notify).
    ///   - closes: whether a FIN follows.
    /// - Throws: `SystemError`.
    func finish(says: Bool = true, closes: Bool = true) throws {
        if says { try work(0) { end.finish() } }
        if closes { shutdown(raw, Int32(SHUT_WR)) }
    }

    /// Returns whether the other side's FIN comes within a time in milliseconds.
    func seesFIN(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: raw, events: Int16(1 << 13), revents: 0)
        return poll(&entry, 1, milliseconds) > 0 && entry.revents & Int16(1 << 13) != 0
    }
}
