import Glibc

/// Connects, completes a TLS handshake, has 64 bytes echoed and closes, over and over, with a fixed number of connections at once.
///
/// The server closes first, as in ``ConnectLoad``.
final class SecuredConnectLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Attempt {
        let socket: SecuredSocket
        var isSecured = false
        var received = 0
    }

    private static let interest = Poller.readable | Poller.writable | Poller.edge
    private static let patience: UInt64 = 60_000_000_000
    private let side: SecuredSide
    private let poller: Poller
    private let port: UInt16
    private let duration: UInt64
    private let limit: Int
    private let atOnce: Int
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: Agreed.message, alignment: 64)
    private var attempts: [Attempt?] = []
    private var started = 0
    private var outcome = LoadOutcome()

    /// Prepares; nothing is connected before `run`.
    init(_ settings: LoadSettings, connections count: Int) throws(BenchError) {
        side = try SecuredSide(.client)
        poller = try Poller()
        port = settings.port
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        limit = settings.connectionLimit / max(1, settings.threads)
        atOnce = count
        buffer.initializeMemory(as: UInt8.self, repeating: 0x55, count: Agreed.message)
    }

    deinit {
        buffer.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        let giveUp = deadline + Self.patience
        attempts = Array(repeating: nil, count: min(atOnce, limit))
        for place in attempts.indices { try begin(place) }
        var open = attempts.count
        while open > 0 {
            let count = try poller.wait(milliseconds: 100)
            let now = Clock.nanoseconds()
            guard now < giveUp else { throw .load("\(open) handshakes did not finish within 60 s") }
            for event in 0..<count where try advance(poller.tag(event), poller.flags(event)) {
                let place = poller.tag(event)
                outcome.operations &+= 1
                attempts[place]?.socket.finish()
                attempts[place] = nil
                if now < deadline && started < limit {
                    try begin(place)
                } else {
                    open -= 1
                }
            }
        }
        outcome.end = Clock.nanoseconds()
        outcome.bytes = outcome.operations * UInt64(Agreed.message)
        return outcome
    }

    private func begin(_ place: Int) throws(BenchError) {
        let socket = try SecuredSocket(side, try Socket.beginConnect(port: port))
        try poller.add(socket.number, events: Self.interest, tag: place)
        attempts[place] = Attempt(socket: socket)
        started += 1
    }

    /// Does what can be done on one connection; true when it has been echoed and closed.
    private func advance(_ place: Int, _ flags: UInt32) throws(BenchError) -> Bool {
        guard let socket = attempts[place]?.socket else { return false }
        if attempts[place]?.isSecured == false {
            guard flags & (Poller.readable | Poller.writable | Poller.broken) != 0, try socket.handshake() else {
                return false
            }
            attempts[place]?.isSecured = true
            try socket.writeWhole(buffer, Agreed.message)
        }
        while true {
            switch try socket.read(into: buffer, Agreed.message) {
            case .bytes(let count): attempts[place]?.received += count
            case .waits: return false
            case .ended:
                guard attempts[place]?.received == Agreed.message else {
                    throw .load("a connection was closed before its echo was whole")
                }
                return true
            }
        }
    }
}
