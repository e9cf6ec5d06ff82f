import Glibc

/// Has datagrams of all sizes echoed, and checks each that comes back by its hash.
///
/// One that has not come back after a second counts as lost and is followed by another; one that comes later still
/// counts as late. Sockets are given up for new ones now and then, so that sessions come and go.
final class DatagramSoak {
    private struct Slot {
        var sequence: UInt64 = 0
        var sentAt: UInt64 = 0
        var isUnderWay = false
    }

    /// The bytes of a datagram that are not content: its number, its slot, and its hash.
    private static let overhead = 24
    private static let largest = 1400
    private static let patience: UInt64 = 1_000_000_000
    private static let sockets = 16
    /// How many datagrams of a socket are under way at once.
    static let window = 16

    /// How many datagrams a client that is killed, or whose server is, may lose.
    static var underWay: UInt64 { UInt64(sockets * window) }

    private let board: Board
    private let port: UInt16
    private let poller: Poller
    private let numbers = DescriptorTable()
    private var slots: ContiguousArray<Slot>
    /// How many echoes a socket has until it is given up.
    private var left: ContiguousArray<Int>
    private var random: SplitMix
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)

    /// Prepares to send to a port of 127.0.0.1.
    init(_ board: Board, port: UInt16, seed: UInt64) throws(BenchError) {
        self.board = board
        self.port = port
        random = SplitMix(state: seed)
        poller = try Poller()
        slots = ContiguousArray(repeating: Slot(), count: Self.sockets * Self.window)
        left = ContiguousArray(repeating: 0, count: Self.sockets)
        for index in 0..<Self.sockets {
            numbers.append(try Socket.connectUDP(port: port))
            try watch(index)
        }
    }

    deinit {
        buffer.deallocate()
    }

    /// Sends until so many have come back, all processes of this role together.
    func run(until count: UInt64) throws(BenchError) {
        board[.datagramClient, .ready] = UInt64(getpid())
        for index in slots.indices { send(index) }
        var lastLook = Clock.nanoseconds()
        while board[.datagramClient, .datagramsBack] < count {
            let ready = try poller.wait(milliseconds: 50)
            for event in 0..<ready { try receive(poller.tag(event)) }
            let now = Clock.nanoseconds()
            guard now - lastLook > Self.patience / 10 else { continue }
            lastLook = now
            // Filling a slot can send others anew, which are younger than `now` then.
            for index in slots.indices where slots[index].isUnderWay && now > slots[index].sentAt + Self.patience {
                board[.datagramClient, .datagramsLost] += 1
                try fill(index)
            }
        }
    }

    private func watch(_ index: Int) throws(BenchError) {
        left[index] = 500 + Int(random.next() % 5000)
        board[.datagramClient, .sockets] += 1
        try poller.add(numbers.numbers[index], events: Poller.readable, tag: index)
    }

    /// Fills a slot with a new number, and sends it.
    private func send(_ index: Int) {
        slots[index] = Slot(sequence: random.next(), sentAt: Clock.nanoseconds(), isUnderWay: true)
        var content = SplitMix(state: slots[index].sequence)
        let words = Int(content.next() % UInt64((Self.largest - Self.overhead) / 8 + 1))
        buffer.storeBytes(of: slots[index].sequence, as: UInt64.self)
        buffer.storeBytes(of: UInt64(index), toByteOffset: 8, as: UInt64.self)
        for word in 0..<words {
            buffer.storeBytes(of: content.next(), toByteOffset: 16 + 8 * word, as: UInt64.self)
        }
        let hashed = 16 + 8 * words
        let hash = XXHash64.hash(UnsafeRawBufferPointer(rebasing: buffer[..<hashed]))
        buffer.storeBytes(of: hash, toByteOffset: hashed, as: UInt64.self)
        board[.datagramClient, .datagramsSent] += 1
        // What the kernel does not take is found missing, as any other loss.
        Glibc.send(numbers.numbers[index / Self.window], buffer.baseAddress, hashed + 8, Int32(MSG_NOSIGNAL))
    }

    private func receive(_ socket: Int) throws(BenchError) {
        for _ in 0..<Self.window {
            let count = recv(numbers.numbers[socket], buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            // An error belongs to an earlier datagram, which is found missing.
            guard count >= 0 else { return }
            guard let slot = check(count) else { continue }
            board[.datagramClient, .datagramsBack] += 1
            left[socket] -= 1
            try fill(slot)
        }
    }

    /// Sends the next datagram of a slot, or lets it be, where its socket is to be given up.
    private func fill(_ index: Int) throws(BenchError) {
        slots[index].isUnderWay = false
        let socket = index / Self.window
        if left[socket] > 0 { return send(index) }
        let places = (socket * Self.window)..<((socket + 1) * Self.window)
        guard !places.contains(where: { slots[$0].isUnderWay }) else { return }
        numbers.replace(socket, with: try Socket.connectUDP(port: port))
        try watch(socket)
        for place in places { send(place) }
    }

    /// Checks what came, and says which slot it fills; nil where it is late, or wrong.
    private func check(_ count: Int) -> Int? {
        let hashed = count - 8
        guard count >= Self.overhead,
            buffer.load(fromByteOffset: hashed, as: UInt64.self)
                == XXHash64.hash(UnsafeRawBufferPointer(rebasing: buffer[..<hashed]))
        else {
            board[.datagramClient, .wrong] += 1
            return nil
        }
        board[.datagramClient, .checkedBytes] += UInt64(count)
        let slot = Int(truncatingIfNeeded: buffer.load(fromByteOffset: 8, as: UInt64.self))
        guard slots.indices.contains(slot), slots[slot].isUnderWay,
            slots[slot].sequence == buffer.load(as: UInt64.self)
        else {
            board[.datagramClient, .datagramsLate] += 1
            return nil
        }
        return slot
    }
}
