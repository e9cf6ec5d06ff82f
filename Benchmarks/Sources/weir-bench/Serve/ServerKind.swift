/// What the server behind the relays does with what it gets.
enum ServerKind: String, Sendable, CaseIterable {
    /// Greets with one byte, throws away what comes, and answers the end with the number of bytes, in 8 bytes.
    case sink
    /// Sends back what comes, and closes when the client has.
    case echo
    /// Sends back 64 bytes and closes first, so that no client and no relay is left with a port in TIME_WAIT.
    case once
    /// Sends datagrams back to where they came from.
    case datagrams
    /// Takes datagrams and sends nothing back.
    case silent
    /// The sink, the echo and the single echo behind TLS; this sink finds the end in the stream's last piece.
    case securedSink = "secured-sink"
    case securedEcho = "secured-echo"
    case securedOnce = "secured-once"

    /// The transport it listens on.
    var transport: Socket.Transport { self == .datagrams || self == .silent ? .udp : .tcp }
    /// Whether it speaks TLS.
    var isSecured: Bool { self == .securedSink || self == .securedEcho || self == .securedOnce }
}

/// The sizes that client and server agree on, in bytes.
enum Agreed {
    /// Each ping, each datagram, and each echo of the connection rate.
    static let message = 64
    /// The count with which the sink answers the end of a stream.
    static let count = 8
    /// One read of the sink, and one send of the client.
    static let chunk = 256 << 10
    /// The first byte of a piece, of the size of a chunk, of a stream over TLS: whether another piece follows.
    static let morePieces: UInt8 = 0x4D
    static let lastPiece: UInt8 = 0x4C
    /// The plain flows beside a burst of handshakes.
    static let besides = 64
    /// Flows from which on the two ends keep small queues, so that the kernel's memory for TCP is not what is measured.
    static let manyFlows = 100
    /// The queue of a socket when there are many flows.
    static let smallQueue: Int32 = 128 << 10
}
