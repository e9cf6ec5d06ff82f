/// What a load child does.
enum LoadKind: String, Sendable, CaseIterable {
    /// Sends streams as fast as they are taken.
    case stream
    /// Sends 64 bytes and waits for them, over and over.
    case ping
    /// Connects, has 64 bytes echoed, closes, over and over.
    case connect
    /// Opens flows and leaves them idle.
    case hold
    /// Has datagrams echoed, with a fixed number in flight for each client.
    case datagrams
    /// Makes calls that name no destination, over and over.
    case call
    /// Makes calls whose arguments say whether they name a destination, and which do not.
    case checkedCall = "checked-call"
    /// Connects and closes, one connection after another.
    case connectCall = "connect-call"
    /// Connects to a port on which nobody listens.
    case refusedCall = "refused-call"
    /// Sends datagrams from a socket that is not connected.
    case sendCall = "send-call"
    /// Receives datagrams that wait already, with their sources.
    case receiveCall = "receive-call"
    /// Sends a datagram from a socket that is not connected, and waits for it.
    case echoCall = "echo-call"
    /// Sends a stream by `sendmsg`, as fast as it is taken.
    case messages
    /// Sends streams over TLS as fast as they are taken.
    case securedStream = "secured-stream"
    /// Completes handshakes, has 64 bytes echoed, closes, over and over.
    case securedConnect = "secured-connect"
    /// Opens flows over TLS and leaves them idle.
    case securedHold = "secured-hold"
    /// Begins handshakes all at once, and times round trips on plain flows meanwhile.
    case burst
}

/// What the bytes of a stream are.
enum LoadContent: String, Sendable, CaseIterable {
    /// Bytes that no protocol has.
    case pattern
    /// Requests of HTTP/1.1, one after another, each with a body of 64 KiB.
    case http

    /// Gives the bytes that are sent over and over.
    var period: [UInt8] {
        let body = (0..<64 << 10).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 / 256) }
        guard self == .http else { return body + body + body + body }
        let head = """
            POST /upload/2026?part=7 HTTP/1.1\r
            Host: weir.test\r
            User-Agent: weir-bench\r
            Accept: */*\r
            Content-Type: application/octet-stream\r
            Content-Length: \(body.count)\r
            \r

            """
        return Array(head.utf8) + body
    }
}

/// How a load child does it.
struct LoadSettings: Sendable, Equatable {
    /// What it does.
    var kind: LoadKind
    /// The port on 127.0.0.1 that it connects to.
    var port: UInt16
    /// The port of a plain route beside it; 0 for none.
    var plainPort: UInt16 = 0
    /// Connections, clients or flows at once.
    var connections = 1
    /// How long to go on, in seconds.
    var seconds = 2.0
    /// Datagrams in flight for each client.
    var inFlight = 1
    /// Round trips to begin in a second, over all connections; 0 for the next one after each echo.
    var rate = 0
    /// Bytes to send over all streams before the time is over; 0 for no bound.
    var byteLimit: UInt64 = 0
    /// The bytes of a `sendmsg` of a stream.
    var size = Agreed.message
    /// What is sent over the streams.
    var content = LoadContent.pattern
    /// Connections to make before the time is over.
    var connectionLimit = 20_000
    /// Threads that share the connections.
    var threads = 1
    /// The process group of the relay, whose processor time and memory are read; nil for none.
    var relay: Int32?
    /// Whether the parent is the relay, as it is under `weir run`, and so its processor time is read.
    var isWatched = false
    /// The process group of the server.
    var server: Int32?

    /// Tells how many connections one thread has, when they are shared evenly.
    func share(ofThread index: Int) -> Int {
        let threads = max(1, threads)
        return connections / threads + (index < connections % threads ? 1 : 0)
    }

    /// Gives the whole as arguments of `weir-bench load`.
    var arguments: [String] {
        var list = [
            "load", kind.rawValue, "--port", "\(port)", "--connections", "\(connections)", "--seconds", "\(seconds)",
            "--in-flight", "\(inFlight)", "--byte-limit", "\(byteLimit)", "--connection-limit", "\(connectionLimit)",
            "--threads", "\(threads)", "--content", content.rawValue, "--rate", "\(rate)",
            "--size", "\(size)", "--plain-port", "\(plainPort)",
        ]
        if isWatched { list.append("--is-watched") }
        if let relay { list += ["--relay", "\(relay)"] }
        if let server { list += ["--server", "\(server)"] }
        return list
    }
}
