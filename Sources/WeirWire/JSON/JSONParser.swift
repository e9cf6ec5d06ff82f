/// The reason why a text is not JSON, in the words of Go's decoder, which Toxiproxy's clients know.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    package var description: String
    /// The offset of the byte at which the error was noticed.
    package var offset = 0
}

/// A parser that reads the first value of a text and nothing after it, as Go's `json.Decoder` does.
package struct JSONParser: ~Copyable {
    /// The maximum depth of nested values.
    private static let deepest = 128
    /// The maximum number of values in a text: each costs up to 40 bytes, however short its text is.
    private static let most = 1 << 22

    private let bytes: [UInt8]
    private var position = 0
    private var values = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the first value.
    ///
    /// - Throws: `JSONError`.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipBlanks()
        guard parser.position < bytes.count else { throw JSONError(description: "EOF", offset: bytes.count) }
        return try parser.value(depth: 0)
    }

    /// Reads a text that is one value, and nothing else.
    ///
    /// - Throws: `JSONError`.
    package static func parseWhole(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipBlanks()
        guard parser.position < bytes.count else { throw JSONError(description: "EOF", offset: bytes.count) }
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.unexpected("after top-level value") }
        return value
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func unexpected(_ where: String) -> JSONError {
        guard let byte = peek else { return JSONError(description: "unexpected EOF", offset: position) }
        let shown = byte >= 0x20 && byte < 0x7F ? "\(Character(Unicode.Scalar(byte)))" : "\\x" + String(byte, radix: 16)
        return JSONError(description: "invalid character '\(shown)' \(`where`)", offset: position)
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.deepest else { throw JSONError(description: "exceeded max depth", offset: position) }
        values += 1
        guard values <= Self.most else { throw JSONError(description: "exceeded max values", offset: position) }
        skipBlanks()
        guard let first = peek else { throw unexpected("") }
        switch first {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw unexpected("looking for beginning of value")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 {
            guard peek == byte else { throw unexpected("in literal \(word)") }
            position += 1
        }
        return value
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        skipBlanks()
        if peek == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        while true {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw unexpected("looking for beginning of object key string") }
            let key = try string()
            skipBlanks()
            guard peek == UInt8(ascii: ":") else { throw unexpected("after object key") }
            position += 1
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipBlanks()
            switch peek {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw unexpected("after object key:value pair")
            }
        }
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipBlanks()
        if peek == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipBlanks()
            switch peek {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(values)
            default: throw unexpected("after array element")
            }
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits("in numeric literal") }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits("after decimal point in numeric literal")
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits("in exponent of numeric literal")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits(_ where: String) throws(JSONError) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw unexpected(`where`) }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            guard let byte = peek else { throw unexpected("") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                // Invalid UTF-8 becomes U+FFFD, as in Go.
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(&text)
            case 0..<0x20: throw unexpected("in string literal")
            default:
                text.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape(_ text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw unexpected("") }
        if let plain = Self.plain(byte) {
            text.append(plain)
            position += 1
            return
        }
        guard byte == UInt8(ascii: "u") else { throw unexpected("in string escape code") }
        position += 1
        let first = try hexDigits()
        var scalar = UInt32(first)
        if (0xD800..<0xDC00).contains(scalar) {
            scalar = 0xFFFD
            if peek == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") {
                let back = position
                position += 2
                let second = try hexDigits()
                if (0xDC00..<0xE000).contains(second) {
                    scalar = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
                } else {
                    position = back
                }
            }
        }
        text += String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8
    }

    /// Returns the byte that a letter after a backslash stands for.
    private static func plain(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: nil
        }
    }

    private mutating func hexDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw unexpected("in \\u hexadecimal character escape")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
