/// A pattern of bytes, written as text or in hex.
public struct BytePattern: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of the pattern.
    public var bytes: [UInt8]

    /// Creates a pattern from bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads `hex:` and pairs of hex digits, which blanks may separate, or else UTF-8 text with the escapes `\n`, `\r`,
    /// `\t`, `\0`, `\\` and `\xHH`; nil if it is neither.
    public init?(_ text: String) {
        if text.hasPrefix("hex:") {
            guard let bytes = Self.hex(text.utf8.dropFirst(4)) else { return nil }
            self.bytes = bytes
        } else {
            guard let bytes = Self.unescaped(text.utf8) else { return nil }
            self.bytes = bytes
        }
    }

    /// The pattern in a form that `init(_:)` reads: text if all of it is printable ASCII, else hex.
    public var description: String {
        if bytes.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x5C }), !bytes.starts(with: "hex:".utf8) {
            return String(decoding: bytes, as: UTF8.self)
        }
        return "hex:"
            + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func hex(_ digits: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            if digit == 0x20, high == nil { continue }
            guard let value = nibble(digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func unescaped(_ text: String.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.next() {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "\\"): bytes.append(0x5C)
            case UInt8(ascii: "x"):
                guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else { return nil }
                bytes.append(high << 4 | low)
            default: return nil
            }
        }
        return bytes
    }
}
