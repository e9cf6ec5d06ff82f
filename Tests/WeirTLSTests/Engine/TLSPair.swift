import Testing
import WeirTLS

/// Two ends that speak to each other in memory: what one sends arrives at the other in pieces of random sizes.
final class TLSPair {
    /// One of both ends.
    enum Side { case client, server }

    /// What a side read: plaintext, and then its end.
    struct Received {
        var bytes: [UInt8] = []
        var ending: TLSEnd.Read?
    }

    let client: TLSEnd
    let server: TLSEnd
    /// Returns the size of the next piece, from 1.
    private let size: () -> Int
    private(set) var received: [Side: Received] = [.client: Received(), .server: Received()]
    private(set) var handshakes: [Side: TLSEnd.Handshake] = [.client: .waits, .server: .waits]
    /// The bytes on their way to a side, and whether their sender's end follows them.
    private var wire: [Side: (bytes: [UInt8], ends: Bool)] = [.client: ([], false), .server: ([], false)]
    private var isEndTold: Set<Side> = []
    /// All that the sides have sent.
    private(set) var sent: [Side: [UInt8]] = [.client: [], .server: []]
    /// The pieces that have arrived, each with its sender.
    private(set) var pieces: [(sender: Side, bytes: [UInt8])] = []
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 700, alignment: 16)
    private let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    init(client: TLSEnd, server: TLSEnd, size: @escaping () -> Int = { 1 << 20 }) {
        (self.client, self.server, self.size) = (client, server, size)
    }

    deinit {
        room.deallocate()
        plain.deallocate()
    }

    subscript(side: Side) -> TLSEnd { side == .client ? client : server }

    /// Lets both sides work until nothing is on its way.
    func run() {
        var isFirst = true
        while true {
            var moved = false
            for side in [Side.client, .server] {
                if isFirst { work(side, []) }
                guard let (bytes, ends) = wire[side], !bytes.isEmpty || ends && !isEndTold.contains(side) else {
                    continue
                }
                let piece = Array(bytes.prefix(size()))
                wire[side]?.bytes.removeFirst(piece.count)
                pieces.append((side == .client ? .server : .client, piece))
                if ends, piece.count == bytes.count {
                    isEndTold.insert(side)
                    self[side].inputEnded()
                }
                work(side, piece)
                moved = true
            }
            if !moved, !isFirst { return }
            isFirst = false
        }
    }

    /// Lets one side work on all that is on its way to it.
    func step(_ side: Side) {
        let piece = wire[side]?.bytes ?? []
        wire[side]?.bytes = []
        work(side, piece)
    }

    /// Lets a side do something, and sends what it wants to send.
    func on(_ side: Side, _ body: (TLSEnd) -> Void) {
        self[side].receive(UnsafeRawBufferPointer(start: nil, count: 0), room: room)
        body(self[side])
        flush(side)
    }

    /// Ends what a side sends, as a FIN does.
    func end(_ side: Side) { wire[side == .client ? .server : .client]?.ends = true }

    /// Puts bytes of a side's on the way without encrypting them.
    func inject(_ bytes: [UInt8], from side: Side) { wire[side == .client ? .server : .client]?.bytes += bytes }

    private func work(_ side: Side, _ piece: [UInt8]) {
        piece.withUnsafeBytes { bytes in
            self[side].receive(bytes, room: room)
            if handshakes[side] == .waits { handshakes[side] = self[side].handshake() }
            if handshakes[side] == .done { read(side) }
            flush(side)
        }
    }

    private func read(_ side: Side) {
        while received[side]?.ending == nil {
            switch self[side].read(into: plain) {
            case .bytes(let count): received[side]?.bytes += plain[..<count]
            case .waits: return
            case let ending: received[side]?.ending = ending
            }
        }
    }

    private func flush(_ side: Side) {
        let outgoing = Array(self[side].outgoing)
        self[side].sent(outgoing.count)
        sent[side]? += outgoing
        wire[side == .client ? .server : .client]?.bytes += outgoing
        _ = self[side].settle()
    }

    /// Encrypts bytes on one side.
    func write(_ bytes: [UInt8], on side: Side) {
        on(side) { end in
            let failure = bytes.withUnsafeBytes { end.write($0) }
            #expect(failure == nil)
        }
    }

    /// Returns bytes that are the same for the same seed.
    static func data(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var dice = SeededDice(seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
    }
}
