import Glibc

/// Work on megabytes of bytes at the speed of the C library: a loop over bytes takes minutes under a sanitizer.
package enum Bytes {
    /// Returns all pieces, one after the other.
    package static func joined(_ pieces: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { bytes += piece }
        return bytes
    }

    /// Returns the index of the first byte that differs, or that only one of both has; nil if they are equal.
    package static func firstDifference(_ first: some Collection<UInt8>, _ second: some Collection<UInt8>) -> Int? {
        let (first, second) = (Array(first), Array(second))
        let common = min(first.count, second.count)
        let isEqual = first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                guard let first = first.baseAddress, let second = second.baseAddress else { return true }
                return memcmp(first, second, common) == 0
            }
        }
        guard isEqual else { return (0..<common).first { first[$0] != second[$0] } }
        return first.count == second.count ? nil : common
    }

    /// Returns the number of bits in which two arrays of the same length differ.
    package static func differingBits(_ first: [UInt8], _ second: [UInt8]) -> Int {
        precondition(first.count == second.count)
        let words = first.count / 8
        var bits = 0
        first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                for word in 0..<words {
                    let one = first.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)
                    bits += (one ^ second.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)).nonzeroBitCount
                }
            }
        }
        for place in (words * 8)..<first.count { bits += (first[place] ^ second[place]).nonzeroBitCount }
        return bits
    }

    /// Replaces each occurrence of a pattern, from the left.
    ///
    /// - Parameters:
    ///   - pattern: The bytes to find; the first byte must occur only once in it.
    ///   - bytes: The bytes to search.
    ///   - replacement: The bytes to insert instead.
    /// - Returns: The new bytes, and the number of occurrences.
    package static func replacing(
        _ pattern: [UInt8],
        in bytes: [UInt8],
        by replacement: [UInt8]
    ) -> (bytes: [UInt8], count: Int) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var (start, from, count) = (0, 0, 0)
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            while let found = memchr(base + from, Int32(pattern[0]), buffer.count - from) {
                let place = UnsafeRawPointer(found) - base
                from = place + 1
                guard place + pattern.count <= buffer.count, memcmp(base + place, pattern, pattern.count) == 0 else {
                    continue
                }
                result += UnsafeRawBufferPointer(rebasing: buffer[start..<place])
                result += replacement
                (start, from, count) = (place + pattern.count, place + pattern.count, count + 1)
            }
            result += UnsafeRawBufferPointer(rebasing: buffer[start...])
        }
        return (result, count)
    }
}
