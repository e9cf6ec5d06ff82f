import Glibc

/// Sends streams as fast as the relay takes them, then has the server say how much arrived.
final class StreamLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Stream {
        var sent: UInt64 = 0
        var finished = false
    }

    private static let patience: Double = 30
    private let connections = DescriptorTable()
    private var streams: ContiguousArray<Stream>
    private let poller: Poller
    private let duration: UInt64
    /// The bytes after which a stream ends before its time.
    private let limit: UInt64
    /// Holds the content's period, and as much of it again as a chunk has, so that a send can begin anywhere in it.
    private let content: UnsafeMutableRawPointer
    private let period: UInt64
    private var open: Int
    private var outcome = LoadOutcome()

    /// Opens the streams; each is through to the server when its greeting has come.
    init(_ settings: LoadSettings, connections count: Int) throws(BenchError) {
        poller = try Poller()
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        limit = settings.byteLimit == 0 ? .max : max(1, settings.byteLimit / UInt64(max(1, settings.connections)))
        streams = ContiguousArray(repeating: Stream(), count: count)
        open = count
        let bytes = settings.content.period
        period = UInt64(bytes.count)
        content = .allocate(byteCount: bytes.count + Agreed.chunk, alignment: 4096)
        for offset in 0..<(bytes.count + Agreed.chunk) {
            content.storeBytes(of: bytes[offset % bytes.count], toByteOffset: offset, as: UInt8.self)
        }
        for index in 0..<count {
            let socket = try Socket.connect(port: settings.port)
            if settings.connections >= Agreed.manyFlows {
                try Socket.set(socket, SOL_SOCKET, SO_SNDBUF, Agreed.smallQueue)
            }
            let number = socket.number
            connections.append(socket)
            try awaitGreeting(number)
            try Socket.makeNonblocking(number)
            try poller.add(number, events: Poller.writable, tag: index)
        }
    }

    deinit {
        content.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        let giveUp = deadline + Clock.nanoseconds(ofSeconds: Self.patience)
        var sending = true
        while open > 0 {
            let count = try poller.wait(milliseconds: 20)
            let now = Clock.nanoseconds()
            if sending && now >= deadline {
                sending = false
                for index in streams.indices where !streams[index].finished { try finish(index) }
            }
            guard now < giveUp else { throw .load("\(open) streams did not arrive within \(Int(Self.patience)) s") }
            for event in 0..<count {
                let index = poller.tag(event)
                if streams[index].finished {
                    try readAnswer(index)
                } else {
                    try send(index)
                }
            }
        }
        outcome.end = Clock.nanoseconds()
        return outcome
    }

    @inline(__always)
    private func send(_ index: Int) throws(BenchError) {
        let length = Int(min(UInt64(Agreed.chunk), limit - streams[index].sent))
        let start = content + Int(streams[index].sent % period)
        let count = Glibc.send(connections.numbers[index], start, length, Int32(MSG_NOSIGNAL))
        guard count >= 0 else {
            if errno == EAGAIN || errno == EINTR { return }
            throw .lastCall("send", on: "stream \(index) after (\(streams[index].sent) bytes)")
        }
        streams[index].sent &+= UInt64(count)
        if streams[index].sent >= limit { try finish(index) }
    }

    private func finish(_ index: Int) throws(BenchError) {
        let number = connections.numbers[index]
        streams[index].finished = true
        guard shutdown(number, Int32(SHUT_WR)) == 0 else { throw .lastCall("shutdown", on: "stream \(index)") }
        try poller.modify(number, events: Poller.readable, tag: index)
    }

    private func readAnswer(_ index: Int) throws(BenchError) {
        var arrived: UInt64 = 0
        let count = recv(connections.numbers[index], &arrived, Agreed.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count == Agreed.count else {
            throw .load("stream \(index) was closed before the server could say what had arrived")
        }
        arrived = UInt64(littleEndian: arrived)
        guard arrived == streams[index].sent else {
            throw .load("(\(arrived) bytes) of (\(streams[index].sent) bytes) arrived on stream \(index)")
        }
        outcome.bytes += arrived
        outcome.operations += 1
        connections.close(index)
        open -= 1
    }

    private func awaitGreeting(_ number: Int32) throws(BenchError) {
        var greeting: UInt8 = 0
        let count = recv(number, &greeting, 1, 0)
        guard count == 1 else {
            if count < 0 { throw .lastCall("recv", on: "a stream that waits for the server's greeting") }
            throw .load("a connection was closed before the server's greeting")
        }
    }
}
