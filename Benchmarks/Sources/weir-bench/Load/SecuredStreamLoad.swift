import Glibc

/// Sends streams over TLS as fast as the relay takes them, then has the server say how much arrived.
///
/// A stream consists of pieces of one size. The first byte of each says whether it is the last one, as some relays pass no half-closes on.
final class SecuredStreamLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Stream {
        /// What it does now.
        enum Phase {
            /// Sends a piece that others follow.
            case sending
            /// Sends the last piece.
            case ending
            /// Waits for the server's count.
            case waiting
        }

        let socket: SecuredSocket
        var phase = Phase.sending
        var sent: UInt64 = 0
    }

    private static let patience: Double = 30
    private var streams: [Stream] = []
    private let poller: Poller
    private let duration: UInt64
    /// A piece with others behind it, and a last one behind that.
    private let pieces = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Agreed.chunk, alignment: 4096)
    private var outcome = LoadOutcome()

    /// Opens the streams; each is through to the server when its greeting has come.
    init(_ settings: LoadSettings, connections count: Int) throws(BenchError) {
        poller = try Poller()
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        let period = settings.content.period
        for offset in pieces.indices { pieces[offset] = period[offset % period.count] }
        pieces[0] = Agreed.morePieces
        pieces[Agreed.chunk] = Agreed.lastPiece
        let side = try SecuredSide(.client)
        for index in 0..<count {
            let socket = try SecuredSocket(side, connectingTo: settings.port)
            var greeting: UInt8 = 0
            try socket.readWhole(into: &greeting, 1)
            try poller.add(socket.number, events: Poller.writable, tag: index)
            streams.append(Stream(socket: socket))
        }
    }

    deinit {
        pieces.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        let giveUp = deadline + Clock.nanoseconds(ofSeconds: Self.patience)
        var open = streams.count
        while open > 0 {
            let count = try poller.wait(milliseconds: 20)
            let now = Clock.nanoseconds()
            guard now < giveUp else { throw .load("\(open) streams did not arrive within \(Int(Self.patience)) s") }
            for event in 0..<count {
                let index = poller.tag(event)
                if streams[index].phase == .waiting {
                    if try readAnswer(index) { open -= 1 }
                } else {
                    try send(index, isOver: now >= deadline)
                }
            }
        }
        outcome.end = Clock.nanoseconds()
        return outcome
    }

    /// Sends until there is no room, or a piece is through.
    private func send(_ index: Int, isOver: Bool) throws(BenchError) {
        let socket = streams[index].socket
        let isLast = streams[index].phase == .ending
        guard let start = pieces.baseAddress.map({ $0 + (isLast ? Agreed.chunk : 0) }) else { return }
        var place = Int(streams[index].sent % UInt64(Agreed.chunk))
        while place < Agreed.chunk, let count = try socket.write(start + place, Agreed.chunk - place) {
            place += count
            streams[index].sent += UInt64(count)
        }
        guard place == Agreed.chunk else { return }
        if isLast {
            streams[index].phase = .waiting
            try poller.modify(socket.number, events: Poller.readable, tag: index)
        } else if isOver {
            streams[index].phase = .ending
        }
    }

    /// Reads how much arrived; false while the server has not said it.
    private func readAnswer(_ index: Int) throws(BenchError) -> Bool {
        var arrived: UInt64 = 0
        let arrival = try streams[index].socket.read(into: &arrived, Agreed.count)
        if arrival == .waits { return false }
        arrived = UInt64(littleEndian: arrived)
        guard arrival == .bytes(Agreed.count), arrived == streams[index].sent else {
            throw .load("(\(arrived) bytes) of (\(streams[index].sent) bytes) arrived on stream \(index)")
        }
        outcome.bytes += arrived
        outcome.operations += 1
        streams[index].socket.finish()
        try poller.remove(streams[index].socket.number)
        return true
    }
}
