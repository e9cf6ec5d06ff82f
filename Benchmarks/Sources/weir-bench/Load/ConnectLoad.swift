import Glibc

/// Connects, has 64 bytes echoed and closes, over and over, with a fixed number of connections at once.
///
/// The server closes first. So TIME_WAIT stays on the listening sides, of the server and of the relay, and neither
/// the client nor the relay runs out of ephemeral ports; every subject gets the same order of closing.
final class ConnectLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Attempt {
        var sent = false
        var received = 0
    }

    private static let interest = Poller.readable | Poller.writable | Poller.edge
    private let connections = DescriptorTable()
    private let poller: Poller
    private let port: UInt16
    private let duration: UInt64
    private let limit: Int
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: Agreed.message, alignment: 64)
    private var attempts: ContiguousArray<Attempt>
    private var started = 0
    private var outcome = LoadOutcome()

    /// Prepares; nothing is connected before `run`.
    init(_ settings: LoadSettings, connections count: Int) throws(BenchError) {
        poller = try Poller()
        port = settings.port
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        limit = settings.connectionLimit / max(1, settings.threads)
        attempts = ContiguousArray(repeating: Attempt(), count: count)
        buffer.initializeMemory(as: UInt8.self, repeating: 0x55, count: Agreed.message)
    }

    deinit {
        buffer.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        let giveUp = deadline + 20_000_000_000
        var open = 0
        for place in attempts.indices where started < limit {
            let socket = try begin(place)
            connections.append(socket)
            try poller.add(connections.numbers[place], events: Self.interest, tag: place)
            open += 1
        }
        while open > 0 {
            let count = try poller.wait(milliseconds: 100)
            let now = Clock.nanoseconds()
            guard now < giveUp else { throw .load("\(open) connections did not finish within 20 s") }
            for event in 0..<count where try advance(poller.tag(event), poller.flags(event)) {
                let place = poller.tag(event)
                outcome.operations &+= 1
                if now < deadline && started < limit {
                    connections.replace(place, with: try begin(place))
                    try poller.add(connections.numbers[place], events: Self.interest, tag: place)
                } else {
                    connections.close(place)
                    open -= 1
                }
            }
        }
        outcome.end = Clock.nanoseconds()
        outcome.bytes = outcome.operations * UInt64(Agreed.message)
        return outcome
    }

    private func begin(_ place: Int) throws(BenchError) -> Descriptor {
        attempts[place] = Attempt()
        started += 1
        return try Socket.beginConnect(port: port)
    }

    /// Does what can be done on one connection; true when it has been echoed and closed.
    @inline(__always)
    private func advance(_ place: Int, _ flags: UInt32) throws(BenchError) -> Bool {
        let number = connections.numbers[place]
        if !attempts[place].sent {
            guard flags & (Poller.writable | Poller.broken) != 0 else { return false }
            let count = send(number, buffer, Agreed.message, Int32(MSG_NOSIGNAL))
            guard count == Agreed.message else { throw .lastCall("connect and send", on: "127.0.0.1:\(port)") }
            attempts[place].sent = true
        }
        while true {
            let count = recv(number, buffer, Agreed.message, 0)
            if count > 0 {
                attempts[place].received += count
                continue
            }
            if count == 0 {
                guard attempts[place].received == Agreed.message else {
                    throw .load("a connection was closed after (\(attempts[place].received) bytes) of its echo")
                }
                return true
            }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { throw .lastCall("recv", on: "127.0.0.1:\(port)") }
            return false
        }
    }
}
