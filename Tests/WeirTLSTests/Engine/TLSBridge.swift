import WeirTLS

/// A client and a server with two ends between them, as a relay has them: what one leg decrypts, the other one encrypts.
///
/// All four share one room for what leaves and one for plaintext, as the flows of a loop do. The legs take turns, a piece each.
final class TLSBridge {
    /// One of the four ends, in the order of their turns.
    enum Place: Int, CaseIterable {
        case client, front, back, server

        /// The end at the other side of the connection.
        var peer: Place {
            switch self {
            case .client: .front
            case .front: .client
            case .back: .server
            case .server: .back
            }
        }

        /// The other end of the relay; nil at the peers.
        var across: Place? { self == .front ? .back : self == .back ? .front : nil }
    }

    private let ends: [TLSEnd]
    private let size: () -> Int
    private var wire = [[UInt8]](repeating: [], count: 4)
    private var isDone = [Bool](repeating: false, count: 4)
    /// What the relay has decrypted before its other leg was ready.
    private var held = [[UInt8]](repeating: [], count: 4)
    private(set) var received = [[UInt8]](repeating: [], count: 4)
    private(set) var failures: [String] = []
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 900, alignment: 16)
    private let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 12, alignment: 16)

    /// Joins four ends; `size` returns the size of the next piece, from 1.
    init(client: TLSEnd, front: TLSEnd, back: TLSEnd, server: TLSEnd, size: @escaping () -> Int) {
        (ends, self.size) = ([client, front, back, server], size)
    }

    deinit {
        room.deallocate()
        plain.deallocate()
    }

    subscript(place: Place) -> TLSEnd { ends[place.rawValue] }

    /// Whether all handshakes are complete.
    var isReady: Bool { isDone.allSatisfy { $0 } }

    /// Returns what a peer has received.
    func received(at place: Place) -> [UInt8] { received[place.rawValue] }

    /// Encrypts bytes of a peer.
    func write(_ bytes: [UInt8], at place: Place) { work(place, [], writing: bytes) }

    /// Lets all of them work in turn until nothing moves.
    func run() {
        for place in Place.allCases where !isDone[place.rawValue] && place != .front { work(place, []) }
        while turn() {}
    }

    /// Gives each end one piece; returns whether anything has moved.
    func turn() -> Bool {
        var moved = false
        for place in Place.allCases {
            // A relay holds the client's bytes until the server's handshake is complete.
            if place == .front, !isDone[Place.back.rawValue] { continue }
            let bytes = wire[place.rawValue]
            guard !bytes.isEmpty else { continue }
            let piece = Array(bytes.prefix(size()))
            wire[place.rawValue].removeFirst(piece.count)
            work(place, piece)
            moved = true
        }
        return moved
    }

    private func work(_ place: Place, _ piece: [UInt8], writing bytes: [UInt8] = []) {
        let (end, index) = (self[place], place.rawValue)
        piece.withUnsafeBytes { piece in
            end.receive(piece, room: room)
            if !isDone[index] {
                switch end.handshake() {
                case .done: isDone[index] = true
                case .waits: break
                case .wantsCertificate: failures.append("\(place): a certificate is wanted")
                case .failed(let failure): failures.append("\(place): \(failure)")
                }
            }
            if let failure = bytes.withUnsafeBytes({ end.write($0) }) { failures.append("\(place): \(failure)") }
            let read = isDone[index] ? readAll(end, place) : []
            flush(place)
            pass(read, from: place)
        }
    }

    private func readAll(_ end: TLSEnd, _ place: Place) -> [UInt8] {
        var read: [UInt8] = []
        while true {
            switch end.read(into: plain) {
            case .bytes(let count): read += plain[..<count]
            case .waits: return read
            case let other:
                failures.append("\(place): \(other)")
                return read
            }
        }
    }

    private func pass(_ bytes: [UInt8], from place: Place) {
        guard let across = place.across else {
            received[place.rawValue] += bytes
            return
        }
        held[place.rawValue] += bytes
        // What is due in the other direction as well: this leg may have become ready.
        for source in [place, across] {
            guard let target = source.across, isDone[target.rawValue], !held[source.rawValue].isEmpty else { continue }
            let due = held[source.rawValue]
            held[source.rawValue] = []
            work(target, [], writing: due)
        }
    }

    private func flush(_ place: Place) {
        let outgoing = Array(self[place].outgoing)
        self[place].sent(outgoing.count)
        wire[place.peer.rawValue] += outgoing
        if !self[place].settle() { failures.append("\(place): no memory") }
    }
}
