package import WeirDissect
import WeirWire

/// A reader of one TCP flow's streams that decrypts the TLS in them: bytes in, bytes out.
///
/// What comes before the client's hello stays as it is (STARTTLS). A connection without secrets stays as it is, too. Of a connection
/// with secrets the handshake is given in the clear until the first byte of content, and then the content alone.
///
/// Source: RFC 8446, RFC 5246, RFC 4346, RFC 2246.
package struct TLSDecryptor: StreamStage {
    /// How the bytes of a direction are read.
    enum Mode {
        /// Not as TLS, as long as no hello begins.
        case plain
        case records
        /// They stay encrypted.
        case lost
    }

    /// One direction.
    struct Side {
        var mode = Mode.plain
        /// The beginning of a record.
        var held: [UInt8] = []
        /// The offset in the captured stream of the first byte that is not read yet.
        var position = 0
        /// The number of bytes that were given.
        var given = 0
        var time: Int64?
        var handshake = HandshakeMessages()
        var cipher: RecordCipher?
        /// TLS 1.3: the ciphers of which one may decrypt what the client sends before the server's answer.
        var early: [RecordCipher] = []
        /// TLS 1.3: the secret of `cipher`, and the one that follows with the end of the handshake.
        var secret: [UInt8] = []
        var next: [UInt8]?
        /// How many records that do not decrypt are passed over before the first one that does.
        var tolerance = 0
    }

    /// One connection of the flow.
    struct Connection {
        /// The side of the client.
        var client: Int
        var hello: Hello?
        var secrets: KeyLog.Secrets?
        var answer: Hello?
        var isRetried = false
        /// Whether content was given.
        var hasContent = false
        /// Records of the client that wait for the server's hello.
        var waiting: [(record: [UInt8], time: Int64?)] = []
        var waitingBytes = 0

        var isNew: Bool { (answer?.version ?? 0) >= 0x0304 }
    }

    let decryption: TLSDecryption
    private let flow: Int
    var sides = [Side(), Side()]
    var connection: Connection?

    /// Creates the reader of a flow.
    ///
    /// - Parameters:
    ///   - decryption: The secrets, which also learns what became of the connections.
    ///   - flow: The number of the flow.
    package init(_ decryption: TLSDecryption, flow: Int) {
        (self.decryption, self.flow) = (decryption, flow)
    }

    package mutating func add(_ piece: StreamPiece, _ bytes: RawSpan, to receiver: Receiver) {
        let side = Int(piece.direction.rawValue)
        guard piece.content == .bytes else { return miss(piece, side, receiver) }
        sides[side].time = piece.time
        if sides[side].held.isEmpty { sides[side].position = piece.offset }
        read(bytes, side, receiver)
    }

    package mutating func turn() {
        sides.swapAt(0, 1)
        if let client = connection?.client { connection?.client = 1 - client }
    }

    package mutating func finish(to receiver: Receiver) {
        for side in sides.indices { giveHeld(side, receiver) }
    }

    // MARK: - Bytes

    private mutating func read(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) {
        var rest = bytes
        while rest.byteCount > 0 {
            switch sides[side].mode {
            case .plain: rest = rest.extracting(droppingFirst: readPlain(rest, side, receiver))
            case .records: rest = rest.extracting(droppingFirst: readRecord(rest, side, receiver))
            case .lost:
                sides[side].position += rest.byteCount
                return lose(rest, side, at: sides[side].time, receiver)
            }
        }
    }

    /// Gives plain bytes, until they begin a hello; returns the number of those that are read.
    private mutating func readPlain(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) -> Int {
        if sides[side].held.isEmpty, !bytes.withUnsafeBytes({ Self.mayBegin($0) }) {
            give(bytes, side, .stream, at: sides[side].time, receiver)
            sides[side].position += bytes.byteCount
            return bytes.byteCount
        }
        // As few as decide it.
        let count = hold(Self.decisive, of: bytes, side)
        guard sides[side].held.withUnsafeBytes({ Self.mayBegin($0) }) else {
            giveHeld(side, receiver)
            // Bytes behind others of their chunk do not begin a hello.
            let rest = bytes.extracting(droppingFirst: count)
            give(rest, side, .stream, at: sides[side].time, receiver)
            sides[side].position += rest.byteCount
            return bytes.byteCount
        }
        guard sides[side].held.count == Self.decisive else { return count }
        connection = Connection(client: side)
        sides[side].mode = .records
        sides[side].handshake = HandshakeMessages()
        sides[side].cipher = nil
        sides[side].early = []
        return count
    }

    /// The number of bytes by which a client's hello is recognised: the record's header, the message's and the version.
    private static let decisive = 11

    /// Returns whether bytes are a client's hello, as far as they go.
    private static func mayBegin(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.first == 22 else { return false }
        let fixed: [(Int, ClosedRange<UInt8>)] = [(1, 3...3), (2, 0...4), (5, 1...1), (9, 3...3)]
        guard fixed.allSatisfy({ $0.0 >= bytes.count || $0.1.contains(bytes[$0.0]) }) else { return false }
        return bytes.count < 5 || bytes[3] < 0x48 && (bytes[3] > 0 || bytes[4] >= 6)
    }

    /// Reads bytes up to the end of a record; returns the number of those that are read.
    private mutating func readRecord(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) -> Int {
        if sides[side].held.isEmpty, let header = bytes.withUnsafeBytes({ RecordHeader($0) }),
            bytes.byteCount >= header.length + RecordHeader.size
        {
            let count = header.length + RecordHeader.size
            handle(bytes.extracting(first: count), header, side, at: sides[side].time, receiver)
            sides[side].position += count
            return count
        }
        var read = hold(RecordHeader.size, of: bytes, side)
        guard sides[side].held.count >= RecordHeader.size else { return read }
        guard let header = sides[side].held.withUnsafeBytes({ RecordHeader($0) }) else {
            stop(side, .noRecord)
            giveHeld(side, receiver)
            return read
        }
        let count = header.length + RecordHeader.size
        read += hold(count, of: bytes.extracting(droppingFirst: read), side)
        guard sides[side].held.count >= count else { return read }
        var record: [UInt8] = []
        swap(&record, &sides[side].held)
        handle(record.span.bytes, header, side, at: sides[side].time, receiver)
        sides[side].position += count
        return read
    }

    /// Copies bytes to the held ones, until those are as many as are wanted; returns the number of bytes.
    private mutating func hold(_ count: Int, of bytes: RawSpan, _ side: Int) -> Int {
        let part = bytes.extracting(first: max(count - sides[side].held.count, 0))
        part.withUnsafeBytes { sides[side].held += $0 }
        return part.byteCount
    }

    /// Passes over bytes that were not captured.
    private mutating func miss(_ piece: StreamPiece, _ side: Int, _ receiver: Receiver) {
        if sides[side].mode == .records { stop(side, .missingBytes) }
        giveHeld(side, receiver)
        let isInside = sides[side].mode == .lost && connection?.hasContent == true
        var piece = piece
        piece.layer = isInside ? .decrypted : .stream
        piece.offset = sides[side].given
        sides[side].given += piece.count
        receiver(piece, RawSpan())
    }

    // MARK: - Giving

    /// Gives bytes.
    mutating func give(
        _ bytes: RawSpan,
        _ side: Int,
        _ layer: StreamPiece.Layer,
        content: StreamPiece.Content = .bytes,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        guard bytes.byteCount > 0 else { return }
        let piece = StreamPiece(
            flow: flow,
            direction: side == 0 ? .upstream : .downstream,
            offset: sides[side].given,
            count: bytes.byteCount,
            time: time,
            content: content,
            layer: layer
        )
        sides[side].given += bytes.byteCount
        receiver(piece, content == .bytes ? bytes : RawSpan())
    }

    /// Gives the beginning of a record that does not end, or of a hello that is none.
    private mutating func giveHeld(_ side: Int, _ receiver: Receiver) {
        if side == connection?.client { giveWaiting(receiver) }
        guard !sides[side].held.isEmpty else { return }
        var held: [UInt8] = []
        swap(&held, &sides[side].held)
        sides[side].position += held.count
        if sides[side].mode == .plain {
            give(held.span.bytes, side, .stream, at: sides[side].time, receiver)
        } else {
            lose(held.span.bytes, side, at: sides[side].time, receiver)
        }
    }

    /// Gives the client's records that have waited for the server's hello, as they are.
    mutating func giveWaiting(_ receiver: Receiver) {
        guard let connection, !connection.waiting.isEmpty else { return }
        self.connection?.waiting = []
        for (record, time) in connection.waiting { lose(record.span.bytes, connection.client, at: time, receiver) }
    }

    /// Gives bytes that stay encrypted.
    mutating func lose(_ bytes: RawSpan, _ side: Int, at time: Int64?, _ receiver: Receiver) {
        let isInside = connection?.hasContent == true
        let content: StreamPiece.Content = isInside ? .encrypted : .bytes
        give(bytes, side, isInside ? .decrypted : .stream, content: content, at: time, receiver)
    }

    /// Leaves the rest of a direction encrypted.
    mutating func stop(_ side: Int, _ reason: TLSDecryption.Stop) {
        guard let hello = connection?.hello else {
            // A hello that never became whole: no TLS, as far as is known.
            connection = nil
            return sides[side].mode = .plain
        }
        sides[side].mode = .lost
        let stopped = TLSDecryption.Stopped(
            flow: flow,
            direction: side == 0 ? .upstream : .downstream,
            offset: sides[side].position,
            reason: reason
        )
        decryption.note(stopped, of: hello.random)
    }
}
