import WeirWire

/// Bytes to find in others, in a time that is linear in those.
///
/// The search looks for the needle's rarest byte eight bytes at a time, and compares where it is. Where that costs too much,
/// as in a file full of that byte, it goes on byte by byte with the needle's own repetitions (Knuth, Morris and Pratt).
struct Needle: Hashable, Sendable {
    /// The bytes.
    let bytes: [UInt8]
    private let rare: Int
    /// For each length of a prefix, the length of the longest shorter one that ends it.
    private let borders: [Int]

    /// Creates a needle.
    ///
    /// - Precondition: There is at least one byte.
    init(_ bytes: [UInt8]) {
        precondition(!bytes.isEmpty, "a needle has a byte")
        self.bytes = bytes
        rare = bytes.indices.min { Self.frequency(bytes[$0]) < Self.frequency(bytes[$1]) } ?? 0
        var borders = [0, 0]
        var border = 0
        for index in 1..<max(bytes.count, 1) {
            while border > 0, bytes[index] != bytes[border] { border = borders[border] }
            if bytes[index] == bytes[border] { border += 1 }
            borders.append(border)
        }
        self.borders = borders
    }

    /// The number of bytes.
    var count: Int { bytes.count }

    /// Returns the place of the first occurrence from an offset on.
    func find(in text: RawSpan, from start: Int) -> Int? {
        var (at, effort) = (start, 0)
        let last = text.byteCount - count
        while at <= last {
            guard let found = text.find(bytes[rare], in: (at + rare)..<(last + rare + 1)) else { return nil }
            let place = found - rare
            let same = prefix(of: text, at: place)
            if same == count { return place }
            effort += same + 8
            at = place + 1
            if effort > 4 * (at - start) + 4096 { return findSlowly(in: text, from: at) }
        }
        return nil
    }

    /// Returns how many of the needle's bytes are at a place.
    private func prefix(of text: RawSpan, at place: Int) -> Int {
        bytes.withUnsafeBytes { bytes in
            var index = 0
            while index < bytes.count, text.unsafeLoad(fromByteOffset: place &+ index, as: UInt8.self) == bytes[index] {
                index &+= 1
            }
            return index
        }
    }

    private func findSlowly(in text: RawSpan, from start: Int) -> Int? {
        var (matched, at) = (0, start)
        while at < text.byteCount {
            let byte = text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            while matched > 0, bytes[matched] != byte { matched = borders[matched] }
            if bytes[matched] == byte { matched += 1 }
            at += 1
            if matched == count { return at - count }
        }
        return nil
    }

    /// Returns how often a byte occurs in traffic, roughly.
    private static func frequency(_ byte: UInt8) -> Int {
        switch byte {
        case 0: 255
        case UInt8(ascii: " "), UInt8(ascii: "e"), UInt8(ascii: "t"), UInt8(ascii: "a"): 240
        case UInt8(ascii: "o"), UInt8(ascii: "n"), UInt8(ascii: "i"), UInt8(ascii: "r"), UInt8(ascii: "s"): 220
        case 0x61...0x7a: 180
        case UInt8(ascii: "0"), UInt8(ascii: "1"), 0xff: 170
        case 0x30...0x39, UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "."), UInt8(ascii: "/"): 140
        case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "="): 120
        case 0x41...0x5a: 100
        case 0x01...0x1f: 80
        case 0x80...0xfe: 50
        default: 60
        }
    }
}
