import Glibc
import WeirEngine

/// An endless stream of bytes from a seed, which is generated or checked with only one block in memory.
///
/// A block of random bytes repeats, each time with its number at its front, so that no two pieces of the stream are
/// equal; every byte is compared, at the speed of `memcmp`.
package struct Pattern: Sendable {
    /// The number of bytes in a block: a prime, so that it is no multiple of any buffer's size.
    private static let blockSize = 65_521

    private var block: [UInt8]
    /// The number of bytes before the next one.
    package private(set) var position = 0

    package init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var words = [UInt64](repeating: 0, count: Self.blockSize / 8 + 1)
        for index in words.indices { words[index] = random.next() }
        block = words.withUnsafeBytes { Array($0.prefix(Self.blockSize)) }
        stamp()
    }

    /// Lends the next bytes: at least one, at most `limit`.
    package mutating func withNext<Result>(
        limit: Int,
        _ body: (UnsafeRawBufferPointer) throws -> (taken: Int, Result)
    ) rethrows -> Result {
        let start = position % Self.blockSize
        let end = min(Self.blockSize, start + limit)
        let (taken, result) = try block.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
        advance(taken)
        return result
    }

    /// Returns the next bytes.
    package mutating func next(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            withNext(limit: count - bytes.count) { piece in
                bytes += piece
                return (piece.count, ())
            }
        }
        return bytes
    }

    /// Compares bytes with the next ones; returns the offset in the stream of the first difference.
    package mutating func firstDifference(in bytes: UnsafeRawBufferPointer) -> Int? {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let before = position
            let length = withNext(limit: rest.count) { expected -> (Int, Int?) in
                guard let base = expected.baseAddress, memcmp(start, base, expected.count) == 0 else { return (0, nil) }
                return (expected.count, expected.count)
            }
            guard let length else {
                let offset = withNext(limit: rest.count) { expected in
                    (0, zip(rest, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? 0)
                }
                return before + offset
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
        return nil
    }

    private mutating func advance(_ count: Int) {
        let number = position / Self.blockSize
        position += count
        if position / Self.blockSize != number { stamp() }
    }

    private mutating func stamp() {
        let number = UInt64(position / Self.blockSize)
        block.withUnsafeMutableBytes { $0.storeBytes(of: number, as: UInt64.self) }
    }
}
