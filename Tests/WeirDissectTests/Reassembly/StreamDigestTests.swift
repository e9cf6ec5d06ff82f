import Support
import Testing

@testable import WeirDissect

@Suite("Digests of messages")
struct StreamDigestTests {
    /// Cuts bytes into pieces, and takes the digest of each message in the piece in which it ends.
    private static func digests(
        of ends: [Int],
        in bytes: [UInt8],
        cutBy random: inout some RandomNumberGenerator
    ) -> [UInt64?] {
        var (digest, found, start, rest) = (StreamDigest(), [UInt64?](), 0, ends[...])
        var last = 0
        while start < bytes.count {
            let count = Int.random(in: 1...bytes.count - start, using: &random)
            let piece = Array(bytes[start..<start + count])
            while let end = rest.first, end <= start + count {
                found.append(digest.hash(of: last..<end, endingIn: piece.span.bytes, at: start))
                last = end
                rest.removeFirst()
            }
            _ = digest.advance(to: start + count, in: piece.span.bytes, at: start)
            start += count
        }
        return found
    }

    @Test("They do not depend on how the stream is cut, nor on what came before", arguments: 0..<20)
    func cuts(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
        let ends = [40, 41, 100, 200]
        let first = Self.digests(of: ends, in: bytes, cutBy: &random)
        let whole: [UInt64?] = ends.indices.map { index in
            StreamDigest.hash(of: (index > 0 ? ends[index - 1] : 0)..<ends[index], in: bytes.span.bytes)
        }
        #expect(first == whole)
        var changed = bytes
        changed[41] ^= 1
        let second = Self.digests(of: ends, in: changed, cutBy: &random)
        #expect(zip(first, second).map { $0 == $1 } == [true, true, false, true])
    }

    @Test("A message whose bytes are not all known, or that does not follow the last one, has none")
    func unknown() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        var digest = StreamDigest()
        #expect(digest.hash(of: 0..<9, endingIn: bytes.span.bytes, at: 0) == nil)
        var other = StreamDigest()
        #expect(other.hash(of: 2..<4, endingIn: bytes.span.bytes, at: 0) == nil)
        #expect(other.hash(of: 4..<6, endingIn: bytes.span.bytes, at: 0) != nil)
        var gap = StreamDigest()
        gap.skip(4)
        #expect(gap.hash(of: 0..<6, endingIn: bytes.span.bytes, at: 4) == nil)
        #expect(gap.hash(of: 6..<8, endingIn: bytes.span.bytes, at: 4) != nil)
    }

    @Test("A length is part of it, also with zeros")
    func zeros() {
        let zeros = [UInt8](repeating: 0, count: 4)
        let all = (0...4).map { StreamDigest.hash(of: 0..<$0, in: zeros.span.bytes) }
        #expect(Set(all).count == 5)
    }
}
