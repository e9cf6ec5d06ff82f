import WeirDissect
import WeirWire

@testable import WeirTLS

/// What a decrypting reader gives of one flow.
struct DecryptedFlow {
    /// What was given of one direction.
    struct Side {
        /// The bytes of each layer.
        var layers: [StreamPiece.Layer: [UInt8]] = [:]
        /// The number of bytes that stay encrypted between decrypted ones, or are missing.
        var withheld = 0
        /// The offset of the next byte.
        var end = 0

        var decrypted: [UInt8] { layers[.decrypted] ?? [] }
        var stream: [UInt8] { layers[.stream] ?? [] }
        var handshake: [UInt8] { layers[.handshake] ?? [] }
    }

    private(set) var up = Side()
    private(set) var down = Side()
    /// Whether each piece followed the one before it, and had its bytes.
    private(set) var isOrdered = true
    private(set) var report = TLSDecryption.Report()

    /// A chunk of a flow, or missing bytes.
    struct Chunk {
        var direction: Direction
        var bytes: [UInt8]
        var isMissing = false
    }

    /// Reads the chunks of a flow.
    init(_ chunks: [Chunk], keys: [String]) {
        let decryption = TLSDecryption()
        decryption.add(Array(keys.joined(separator: "\n").utf8))
        var stage = decryption.stage(of: 7)
        var offsets: [Direction: Int] = [:]
        for (number, chunk) in chunks.enumerated() {
            let piece = StreamPiece(
                flow: 7,
                direction: chunk.direction,
                offset: offsets[chunk.direction] ?? 0,
                count: chunk.bytes.count,
                time: Int64(number),
                content: chunk.isMissing ? .gap : .bytes
            )
            offsets[chunk.direction, default: 0] += chunk.bytes.count
            let bytes = chunk.isMissing ? [] : chunk.bytes
            stage.add(piece, bytes.span.bytes) { take($0, $1) }
        }
        stage.finish { take($0, $1) }
        report = decryption.report
    }

    private mutating func take(_ piece: StreamPiece, _ bytes: RawSpan) {
        var side = piece.direction == .upstream ? up : down
        isOrdered = isOrdered && piece.flow == 7 && piece.offset == side.end && piece.count > 0
        isOrdered = isOrdered && bytes.byteCount == (piece.content == .bytes ? piece.count : 0)
        side.end += piece.count
        if piece.content != .bytes { side.withheld += piece.count }
        bytes.withUnsafeBytes { side.layers[piece.layer, default: []] += $0 }
        if piece.direction == .upstream { up = side } else { down = side }
    }
}

extension TLSPair {
    /// What was on the way so far, as a capture has it.
    var chunks: [DecryptedFlow.Chunk] {
        pieces.map { DecryptedFlow.Chunk(direction: $0.sender == .client ? .upstream : .downstream, bytes: $0.bytes) }
    }
}
