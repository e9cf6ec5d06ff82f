/// A value that JSON writes as a string, a number, `true`, `false` or `null`.
@usableFromInline
package protocol JSONScalar {
    /// Appends the value as JSON.
    func appendJSON(to output: inout ByteBuffer)
}

// MARK: - Numbers and words

extension JSONScalar where Self: FixedWidthInteger {
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) { output.appendDecimal(self) }
}

extension Int: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}

/// A number as it is to be written.
package struct JSONNumber: JSONScalar {
    private let text: String

    /// Creates a number from its text, which must follow the grammar of JSON.
    package init(_ text: String) {
        self.text = text
    }

    package func appendJSON(to output: inout ByteBuffer) { output.append(text) }
}

extension Bool: JSONScalar {
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) { output.append(self ? "true" as StaticString : "false") }
}

extension Optional: JSONScalar where Wrapped: JSONScalar {
    /// Appends the value, or `null`.
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        guard let self else { return output.append("null") }
        self.appendJSON(to: &output)
    }
}

// MARK: - Strings

extension String: JSONScalar {
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        var text = self
        text.withUTF8 { output.appendQuoted(UnsafeRawBufferPointer($0).bytes) }
    }
}

extension StaticString: JSONScalar {
    /// Appends the text, which must need no escapes.
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        output.append(self)
        output.append(UInt8(ascii: "\""))
    }
}

extension Direction: JSONScalar {
    /// Appends `"upstream"` or `"downstream"`.
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        output.append(self == .upstream ? "\"upstream\"" as StaticString : "\"downstream\"")
    }
}

extension Transport: JSONScalar {
    /// Appends `"tcp"` or `"udp"`.
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        output.append(self == .tcp ? "\"tcp\"" as StaticString : "\"udp\"")
    }
}

extension IPAddress: JSONScalar {
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        write(to: &output)
        output.append(UInt8(ascii: "\""))
    }
}

extension Endpoint: JSONScalar {
    @inlinable
    package func appendJSON(to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        write(to: &output)
        output.append(UInt8(ascii: "\""))
    }
}

extension ByteBuffer {
    /// Appends text in quotes, with `\u` and four digits for control characters of ASCII and of ISO 8859-1, for those that
    /// change the direction of writing, and for the two line separators that JavaScript does not take in a string.
    ///
    /// Bytes that are not UTF-8 are passed on.
    ///
    /// Source: RFC 8259 section 7.
    @usableFromInline
    package mutating func appendQuoted(_ text: RawSpan) {
        reserve(text.byteCount &+ 2)
        append(UInt8(ascii: "\""))
        // The start of the bytes that need no escape, and are not yet appended.
        var start = 0
        var index = 0
        while index < text.byteCount {
            let byte = text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0x7f, byte != 0xc2,
                byte != 0xe2
            {
                index &+= 1
                continue
            }
            let (character, length) = text.escape(at: index)
            if let character {
                append(text.extracting(start..<index))
                appendEscape(character)
                start = index &+ length
            }
            index &+= length
        }
        append(text.extracting(start..<index))
        append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ character: UInt32) {
        append(UInt8(ascii: "\\"))
        switch character {
        case 0x22, 0x5c: append(UInt8(truncatingIfNeeded: character))
        default:
            append(UInt8(ascii: "u"))
            appendHex(character, digits: 4)
        }
    }
}

extension RawSpan {
    /// Returns the character that needs an escape, nil if none does, and the number of bytes read.
    fileprivate func escape(at index: Int) -> (character: UInt32?, length: Int) {
        let byte = unsafeLoad(fromByteOffset: index, as: UInt8.self)
        guard byte == 0xc2 || byte == 0xe2 else { return (UInt32(byte), 1) }
        guard let (scalar, length) = SafeText.decode(self, at: index) else { return (nil, 1) }
        switch scalar {
        case 0x80...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: return (scalar, length)
        default: return (nil, length)
        }
    }
}
