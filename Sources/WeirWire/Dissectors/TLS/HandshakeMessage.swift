/// Is one message of a TLS handshake, which may have come in pieces: of records, or of QUIC's CRYPTO frames.
struct HandshakeMessage {
    /// Holds the message with its header of 4 bytes.
    var bytes: [UInt8]
    /// Says where pieces of it are: where in the message each begins, and where in the stream.
    var places: [(start: Int, place: Int)]

    /// Gives the message's kind.
    var type: UInt8 { bytes.first ?? 0 }

    /// Says where a range of the message is in the stream.
    ///
    /// One that goes over the border of two pieces goes over what is between them, too.
    func place(of range: Range<Int>) -> Range<Int> {
        let start = place(of: range.lowerBound)
        guard range.count > 1 else { return start..<(start &+ range.count) }
        return start..<max(place(of: range.upperBound &- 1) &+ 1, start)
    }

    private func place(of offset: Int) -> Int {
        guard let piece = places.last(where: { $0.start <= offset }) else { return offset }
        return piece.place &+ offset &- piece.start
    }
}

/// Collects the pieces of a direction's handshake, and gives whole messages.
struct HandshakeBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// Says where in `bytes` the next message begins.
    private var start = 0
    private var places: [(start: Int, place: Int)] = []
    /// Bounds a message, in bytes; certificates are the longest.
    static let limit = 128 << 10
    /// Bounds how many pieces are told apart; what comes behind them counts from the last one.
    private static let placeLimit = 128

    var isEmpty: Bool { start == bytes.count }

    mutating func removeAll() {
        bytes = []
        start = 0
        places = []
    }

    /// Says whether the message that is begun has a kind that there is and a length within the limit.
    var isPlausible: Bool {
        guard start < bytes.count else { return true }
        guard TLSFields.handshakes[bytes[start]] != nil else { return false }
        guard let length = bytes.span.bytes.number24(at: start &+ 1) else { return true }
        return length + 4 <= Self.limit
    }

    /// Takes the next bytes, which begin at a place of the stream.
    mutating func append(_ piece: RawSpan, at place: Int) {
        if start > 0 {
            // What was given is let go of, once for each piece.
            bytes.removeFirst(start)
            places = places.map { ($0.start - start, $0.place) }
            let kept = places.lastIndex { $0.start <= 0 } ?? 0
            places.removeFirst(bytes.isEmpty ? places.count : min(kept, places.count))
            start = 0
        }
        guard bytes.count + piece.byteCount <= Self.limit + 32_768 else { return }
        if places.count < Self.placeLimit { places.append((bytes.count, place)) }
        piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Takes the first message out, if it is whole.
    mutating func next() -> HandshakeMessage? {
        guard let length = bytes.span.bytes.number24(at: start &+ 1), bytes.count - start >= length + 4 else {
            return nil
        }
        let end = start + length + 4
        let first = places.lastIndex { $0.start <= start } ?? 0
        let pieces = places.dropFirst(first).prefix { $0.start < end }
        let message = HandshakeMessage(
            bytes: Array(bytes[start..<end]),
            places: pieces.map { ($0.start - start, $0.place) }
        )
        start = end
        return message
    }
}
