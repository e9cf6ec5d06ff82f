extension RawSpan {
    /// Loads a number in a byte order from any offset.
    ///
    /// - Precondition: The bytes are there.
    @inline(__always)
    func number<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self,
        at offset: Int,
        _ order: ByteOrder
    ) -> Value {
        order.convert(unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Copies bytes.
    ///
    /// - Precondition: The bytes are there.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBytes { Array($0) }
    }

    /// Copies text up to the first zero octet, in whole characters up to `limit` bytes, with invalid UTF-8 repaired.
    ///
    /// - Precondition: The bytes are there.
    func text(_ range: Range<Int>, upTo limit: Int = ByteBuffer.largestOption) -> String {
        let text = extracting(range).withUnsafeBytes { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.utf8.count <= limit ? text : Self.cut(text, upTo: limit)
    }

    /// Cuts a text that became longer than the limit by repair.
    private static func cut(_ text: String, upTo limit: Int) -> String {
        var buffer = ByteBuffer(capacity: limit)
        _ = buffer.appendText(text, upTo: limit)
        return buffer.string
    }
}

/// Returns a number of bytes rounded up to a multiple of 4.
@inline(__always)
func padded(_ count: Int) -> Int { (count &+ 3) & ~3 }
