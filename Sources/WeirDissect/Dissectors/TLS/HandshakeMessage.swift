/// One message of a TLS handshake, which may have arrived in pieces: in records, or in QUIC's CRYPTO frames.
struct HandshakeMessage {
    /// The message with its header of 4 bytes.
    var bytes: [UInt8]
    /// The places of its pieces: each one's offset in the message, and its offset in the stream.
    var places: [(start: Int, place: Int)]

    /// The message type.
    var type: UInt8 { bytes.first ?? 0 }

    /// Returns the place of a range of the message in the stream.
    ///
    /// A range across two pieces includes the bytes between them.
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

/// The pieces of a direction's handshake, from which whole messages are taken.
struct HandshakeBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// The offset in `bytes` of the next message.
    private var start = 0
    private var places: [(start: Int, place: Int)] = []
    /// The maximum length of a message in bytes; certificates are the longest.
    static let limit = 128 << 10
    /// The maximum number of pieces with a place of their own; later ones count from the last one.
    private static let placeLimit = 128

    var isEmpty: Bool { start == bytes.count }

    mutating func removeAll() {
        bytes = []
        start = 0
        places = []
    }

    /// Whether the message that has begun has a known type and a length within the limit.
    var isPlausible: Bool {
        guard start < bytes.count else { return true }
        guard TLSFields.handshakes[bytes[start]] != nil else { return false }
        guard let length = bytes.span.bytes.number24(at: start &+ 1) else { return true }
        return length + 4 <= Self.limit
    }

    /// Appends the next bytes, which begin at a place in the stream.
    mutating func append(_ piece: RawSpan, at place: Int) {
        if start > 0 {
            // Messages that were returned are discarded, once for each piece.
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

    /// Removes and returns the first message, if it is whole.
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
