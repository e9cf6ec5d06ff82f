/// Holds the fragments of one datagram that came so far.
struct PartialDatagram: Sendable {
    private struct Piece {
        /// Where it belongs in the datagram.
        var offset: Int
        /// Where its bytes are in `bytes`.
        var start: Int
        var length: Int
    }

    /// Says which of all datagrams this was, in the order in which they were begun.
    let number: UInt64
    /// Names what follows, as the first of the fragments that begin it says.
    var `protocol`: IPProtocol?
    /// The pieces by offset, and those with one offset in the order in which they came.
    private var pieces: [Piece] = []
    private var bytes: [UInt8] = []
    /// How long the datagram is, as its last fragment says.
    private var length: Int?
    private var hasSeveralEnds = false

    init(number: UInt64) {
        self.number = number
    }

    /// Gives how many fragments there are.
    var fragments: Int { pieces.count }

    /// Gives what the datagram counts against the limit.
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

    /// Says whether no byte before the end is missing.
    var isWhole: Bool {
        guard let length else { return false }
        var reached = 0
        for piece in pieces where piece.offset <= reached { reached = max(reached, piece.offset + piece.length) }
        return reached >= length
    }

    /// Says whether bytes reach past the end, or fragments disagree on where it is.
    var isOverlong: Bool {
        guard let length else { return false }
        return hasSeveralEnds || pieces.contains { $0.offset + $0.length > length }
    }

    /// Says whether two fragments hold the same part of the datagram.
    var overlaps: Bool {
        var reached = 0
        for piece in pieces {
            if piece.offset < reached { return true }
            reached = max(reached, piece.offset + piece.length)
        }
        return false
    }

    /// Says whether fragments that hold the same part of the datagram do not hold the same bytes.
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

    /// Appends the datagram, which is whole, to a buffer.
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

    /// Gives the parts of `bytes` that make up the datagram, in order: of each piece what those before do not reach.
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
