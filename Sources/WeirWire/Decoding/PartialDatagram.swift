/// The fragments of one datagram that arrived so far.
struct PartialDatagram: Sendable {
    private struct Piece {
        /// Its offset in the datagram.
        var offset: Int
        /// The offset of its bytes in `bytes`.
        var start: Int
        var length: Int
    }

    /// The number of the datagram, in the order in which datagrams began.
    let number: UInt64
    /// The protocol that follows, from the first of the fragments with offset 0.
    var `protocol`: IPProtocol?
    /// The pieces by offset, those with equal offsets in the order of their arrival.
    private var pieces: [Piece] = []
    private var bytes: [UInt8] = []
    /// The length of the datagram, according to its last fragment.
    private var length: Int?
    private var hasSeveralEnds = false

    init(number: UInt64) {
        self.number = number
    }

    /// The number of fragments.
    var fragments: Int { pieces.count }

    /// The bytes that the datagram counts against the limit.
    var cost: Int { bytes.count + pieces.count * FragmentReassembler.overhead }

    mutating func insert(_ content: RawSpan, at offset: Int, hasMore: Bool) {
        let piece = Piece(offset: offset, start: bytes.count, length: content.byteCount)
        content.withUnsafeBytes { bytes.append(contentsOf: $0) }
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        pieces.insert(piece, at: low)
        guard !hasMore else { return }
        let end = offset + content.byteCount
        if let length, length != end { hasSeveralEnds = true }
        length = length ?? end
    }

    /// Whether no byte before the end is missing.
    var isWhole: Bool {
        guard let length else { return false }
        var reached = 0
        for piece in pieces where piece.offset <= reached { reached = max(reached, piece.offset + piece.length) }
        return reached >= length
    }

    /// Whether bytes exceed the end, or fragments disagree about it.
    var isOverlong: Bool {
        guard let length else { return false }
        return hasSeveralEnds || pieces.contains { $0.offset + $0.length > length }
    }

    /// Whether two fragments have the same part of the datagram.
    var overlaps: Bool {
        var reached = 0
        for piece in pieces {
            if piece.offset < reached { return true }
            reached = max(reached, piece.offset + piece.length)
        }
        return false
    }

    /// Whether fragments differ in a part that both have.
    var conflicts: Bool {
        guard overlaps, let length else { return false }
        let whole = joined(length)
        return pieces.contains { piece in
            let last = min(piece.offset + piece.length, length)
            return (piece.offset..<max(last, piece.offset)).contains {
                bytes[piece.start + $0 - piece.offset] != whole[$0]
            }
        }
    }

    /// Appends the complete datagram to a buffer.
    func append(to buffer: inout ByteBuffer) {
        guard let length else { return }
        sweep(length) { part in buffer.append(bytes.span.bytes.extracting(part)) }
    }

    private func joined(_ length: Int) -> [UInt8] {
        var whole: [UInt8] = []
        whole.reserveCapacity(length)
        sweep(length) { whole += bytes[$0] }
        return whole
    }

    /// Passes the parts of `bytes` that make up the datagram to a closure, in order and without overlaps.
    private func sweep(_ length: Int, _ body: (Range<Int>) -> Void) {
        var reached = 0
        for piece in pieces {
            let last = min(piece.offset + piece.length, length)
            guard piece.offset <= reached, last > reached else { continue }
            let start = piece.start + reached - piece.offset
            body(start..<(start + last - reached))
            reached = last
        }
    }
}
