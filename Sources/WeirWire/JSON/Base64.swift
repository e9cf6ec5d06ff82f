/// The encoding of bytes as base64, and its decoding.
///
/// Source: RFC 4648 section 4.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        var output = ByteBuffer(capacity: bytes.count * 4 / 3 + 4)
        output.appendBase64(bytes.span.bytes)
        return output.string
    }

    /// Decodes a text; nil if it is incomplete, or has a character outside the alphabet.
    package static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bits: UInt32 = 0
        for (index, character) in characters.enumerated() {
            let isPadding = index >= characters.count - padding
            guard let value = isPadding ? 0 : value(of: character) else { return nil }
            bits = bits << 6 | value
            guard index % 4 == 3 else { continue }
            for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
            bits = 0
        }
        bytes.removeLast(padding)
        return bytes
    }

    /// Decodes a text into an array, in place of what it holds; returns whether the text is whole and has no character
    /// outside the alphabet.
    package static func decode(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        guard text.count % 4 == 0 else { return false }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        bytes.reserveCapacity(text.count / 4 * 3)
        var (bits, count, isValid) = (UInt32(0), 0, true)
        for character in text.dropLast(padding) {
            let value = values[Int(character)]
            isValid = isValid && value < 64
            bits = bits << 6 | UInt32(value)
            count += 1
            guard count == 4 else { continue }
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits))
            (bits, count) = (0, 0)
        }
        if count >= 2 { bytes.append(UInt8(truncatingIfNeeded: bits >> (count == 2 ? 4 : 10))) }
        if count == 3 { bytes.append(UInt8(truncatingIfNeeded: bits >> 2)) }
        return isValid
    }

    /// The value of each character; 255 for those outside the alphabet.
    private static let values = (0...255).map { value(of: UInt8($0)).map { UInt8($0) } ?? 255 }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
