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
}

/// How a load child does it.
struct LoadSettings: Sendable, Equatable {
    /// What it does.
    var kind: LoadKind
    /// The port on 127.0.0.1 that it connects to.
    var port: UInt16
    /// Connections, clients or flows at once.
    var connections = 1
    /// How long to go on, in seconds.
    var seconds = 2.0
    /// Datagrams in flight for each client.
    var inFlight = 1
    /// Bytes to send over all streams before the time is over; 0 for no bound.
    var byteLimit: UInt64 = 0
    /// Connections to make before the time is over.
    var connectionLimit = 20_000
    /// Threads that share the connections.
    var threads = 1
    /// The process group of the relay, whose processor time and memory are read; nil for none.
    var relay: Int32?
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
            "--threads", "\(threads)",
        ]
        if let relay { list += ["--relay", "\(relay)"] }
        if let server { list += ["--server", "\(server)"] }
        return list
    }
}
