// sources: Sources/WeirTLS/Decryption/*.swift Sources/WeirTLS/OpenSSL/OpenSSL.swift
// swiftc: -I Sources/COpenSSL -lssl -lcrypto

import WeirDissect
import WeirWire

/// Decrypts a flow: a key log, an empty line, and chunks with their direction, or missing bytes; whatever comes, the pieces of a
/// direction follow one another, and are no more bytes than were captured.
///
/// A chunk has a head of three bytes: 1 if it goes down, and 2 if it is missing; then its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var rest = Array(UnsafeBufferPointer(start: start, count: count))[...]
    let decryption = TLSDecryption()
    if let end = rest.firstRange(of: [10, 10]) {
        decryption.add(Array(rest[..<end.lowerBound]))
        rest = rest[end.upperBound...]
    }
    var stage = decryption.stage(of: 1)
    var (read, given) = ([0, 0], [0, 0])
    let take = { (piece: StreamPiece, bytes: RawSpan) in
        let side = Int(piece.direction.rawValue)
        precondition(piece.offset == given[side] && piece.count > 0, "pieces follow one another")
        precondition(bytes.byteCount == (piece.content == .bytes ? piece.count : 0), "a piece has its bytes")
        given[side] += piece.count
    }
    while rest.count > 3 {
        let head = Array(rest.prefix(3))
        if head[0] & 4 != 0 { stage.turn() }
        // A turn swaps the sides, and so what they have read and given.
        if head[0] & 4 != 0 { (read, given) = (read.reversed(), given.reversed()) }
        let bytes = Array(rest.dropFirst(3).prefix(max(Int(head[1]) << 8 | Int(head[2]), 1)))
        rest = rest.dropFirst(3 + bytes.count)
        let side = Int(head[0] & 1)
        let isMissing = head[0] & 2 != 0
        let piece = StreamPiece(
            flow: 1,
            direction: side == 0 ? .upstream : .downstream,
            offset: read[side],
            count: bytes.count,
            time: Int64(read[side]),
            content: isMissing ? .gap : .bytes
        )
        read[side] += bytes.count
        stage.add(piece, isMissing ? RawSpan() : bytes.span.bytes, to: take)
        precondition(given[0] <= read[0] && given[1] <= read[1], "nothing comes of nothing")
    }
    stage.finish(to: take)
    precondition(given[0] <= read[0] && given[1] <= read[1], "nothing comes of nothing")
    return 0
}
