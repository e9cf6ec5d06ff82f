public import WeirWire

/// A converter of LF to CRLF, for HTTP, SMTP and other line-based protocols; a CRLF stays as it is.
///
/// Bytes arrive in chunks, and a CRLF may be split between two.
public struct LineEnds: Sendable {
    private var lastWasReturn = false

    /// Makes a converter for a new stream.
    public init() {}

    /// Appends the converted bytes of the next chunk.
    ///
    /// - Complexity: O(n) in the chunk's length.
    public mutating func convert(_ bytes: RawSpan, into output: inout ByteBuffer) {
        var start = 0
        bytes.withUnsafeBytes { bytes in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\n"), !lastWasReturn {
                    append(bytes[start..<index], to: &output)
                    output.append("\r\n")
                    start = index + 1
                }
                lastWasReturn = bytes[index] == UInt8(ascii: "\r")
            }
            append(bytes[start...], to: &output)
        }
    }

    private func append(_ bytes: Slice<UnsafeRawBufferPointer>, to output: inout ByteBuffer) {
        output.append(UnsafeRawBufferPointer(rebasing: bytes).bytes)
    }
}
