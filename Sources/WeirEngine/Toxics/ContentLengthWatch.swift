/// A watch on a stream for the bodies that follow a header with a Content-Length, as HTTP has them.
///
/// Source: RFC 9112 section 6.2.
struct ContentLengthWatch: Sendable {
    private static let name = Array("content-length:".utf8)

    /// The number of bytes of the line so far, without CR.
    private var lineLength = 0
    /// The number of bytes of the name with which the line began.
    private var matched = 0
    private var isReadingLength = false
    /// The length that the header gives; nil if it has given none.
    private var length: Int?
    private var bodyLeft = 0

    /// Takes the next byte; returns whether it is one of a body whose length was given.
    mutating func take(_ byte: UInt8) -> Bool {
        guard bodyLeft == 0 else {
            bodyLeft -= 1
            return true
        }
        switch byte {
        case UInt8(ascii: "\n"): endLine()
        case UInt8(ascii: "\r"): break
        default: takeOfLine(byte)
        }
        return false
    }

    private mutating func endLine() {
        if lineLength == 0, let length {
            bodyLeft = length
            self.length = nil
        }
        (lineLength, matched, isReadingLength) = (0, 0, false)
    }

    private mutating func takeOfLine(_ byte: UInt8) {
        lineLength += 1
        if isReadingLength {
            guard (0x30...0x39).contains(byte) else {
                return isReadingLength = byte == UInt8(ascii: " ") && length == nil
            }
            let digit = Int(byte) - 0x30
            length = (length ?? 0) > Int.max / 16 ? Int.max / 16 : (length ?? 0) * 10 + digit
        } else if matched == lineLength - 1, matched < Self.name.count, byte | 0x20 == Self.name[matched] | 0x20 {
            matched += 1
            guard matched == Self.name.count else { return }
            isReadingLength = true
            length = nil
        }
    }
}
