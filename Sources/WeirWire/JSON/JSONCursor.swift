/// A cursor over the keys and values of a flat JSON object, which it does not copy.
///
/// A string is returned as it is written, with its escapes; a nested object or array as its text.
///
/// Source: RFC 8259.
package struct JSONCursor {
    private let base: UnsafeRawPointer
    private let count: Int
    private var place = 0

    /// Starts at the first byte; nil if there is none.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        self.base = base
        count = bytes.count
    }

    private func byte(_ place: Int) -> UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }

    private mutating func skipBlanks() {
        while place < count, Self.isBlank(byte(place)) { place += 1 }
    }

    /// Takes one character if it is the next one.
    package mutating func take(_ character: UInt8) -> Bool {
        skipBlanks()
        guard place < count, byte(place) == character else { return false }
        place += 1
        return true
    }

    /// Takes a string, and returns the bytes between its quotes; nil if no string begins here, or it has no end.
    package mutating func string() -> UnsafeRawBufferPointer? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = place
        let bytes = UnsafeRawBufferPointer(start: base, count: count).bytes
        while place < count, let end = bytes.find(UInt8(ascii: "\""), from: place) {
            // A quote after an odd number of backslashes belongs to the string.
            var slashes = 0
            while end - slashes > start, byte(end - slashes - 1) == UInt8(ascii: "\\") { slashes += 1 }
            place = end + 1
            if slashes & 1 == 0 { return UnsafeRawBufferPointer(start: base + start, count: end - start) }
        }
        place = count
        return nil
    }

    /// Takes a string, a number, an object or a word, and returns its text; for a string, without the quotes.
    package mutating func value() -> UnsafeRawBufferPointer? {
        skipBlanks()
        guard place < count else { return nil }
        if byte(place) == UInt8(ascii: "\"") { return string() }
        let start = place
        var depth = 0
        while place < count {
            switch byte(place) {
            case UInt8(ascii: "\""):
                guard string() != nil else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return text(from: start) }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return text(from: start) }
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Returns the bytes from a place to the current one, without the blanks at the end.
    private func text(from start: Int) -> UnsafeRawBufferPointer {
        var end = place
        while end > start, Self.isBlank(byte(end - 1)) { end -= 1 }
        return UnsafeRawBufferPointer(start: base + start, count: end - start)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
}
