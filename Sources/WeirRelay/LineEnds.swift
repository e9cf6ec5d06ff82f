public import WeirWire

/// Turns LF into CRLF, as HTTP, SMTP and other protocols of lines want it; a CRLF stays as it is.
///
/// Bytes come in chunks, and a CRLF may lie across the border of two.
public struct LineEnds: Sendable {
    private var lastWasReturn = false

    /// Begins with the first byte of a stream.
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
