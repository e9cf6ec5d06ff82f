/// The head of an answer, as far as it decides where the answer ends.
///
/// Source: RFC 9112 sections 4, 5, 6.1 and 6.2.
struct HTTPAnswerHead: Sendable {
    /// The first bytes of every answer.
    static let version = Array("HTTP/1.".utf8)

    /// The status code, 100...599.
    private(set) var status = 0
    /// The body's length by Content-Length, in bytes.
    private(set) var length: Int?
    private(set) var isChunked = false
    private var isOldVersion = false

    /// Creates an empty head.
    init() {}

    /// Reads `HTTP/1.1 200 OK`.
    init(statusLine line: [UInt8]) throws(HTTPAnswerError) {
        // 7 bytes of the version, its last digit, a blank, 3 digits, and a blank if words follow.
        guard line.starts(with: Self.version), line.count >= 12, Self.isDigit(line[7]), line[8] == UInt8(ascii: " "),
            line.count == 12 || line[12] == UInt8(ascii: " ")
        else { throw .noStatusLine }
        guard let status = Self.number(line[9..<12], radix: 10), (100...599).contains(status) else {
            throw .malformed(.status)
        }
        self.status = status
        isOldVersion = line[7] == UInt8(ascii: "0")
    }

    /// Reads a header field, and remembers what it says about the body.
    mutating func takeField(_ line: [UInt8]) throws(HTTPAnswerError) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(Self.isOfName)
        else { throw .malformed(.field) }
        let value = Self.trimmed(line[(colon + 1)...])
        switch Self.lowercased(line[..<colon]) {
        case "content-length":
            guard let length = Self.number(value, radix: 10) else { throw .malformed(.length) }
            guard self.length == nil || self.length == length else { throw .ambiguousLength }
            self.length = length
        case "transfer-encoding":
            // HTTP/1.0 has no chunks; a second coding, or the same one twice, was not requested.
            guard Self.lowercased(value) == "chunked", !isChunked, !isOldVersion else { throw .malformed(.coding) }
            isChunked = true
        default: break
        }
    }

    /// Reads the line before a chunk: its size in hex digits, and extensions, which are ignored.
    static func chunkSize(_ line: [UInt8]) throws(HTTPAnswerError) -> Int {
        let digits = trimmed(line.prefix { $0 != UInt8(ascii: ";") })
        guard digits.startIndex == 0, let size = number(digits, radix: 16) else { throw .malformed(.chunk) }
        return size
    }

    /// Reads digits only; nil for no digits, for a sign or a blank, and for a number that does not fit in an `Int`.
    private static func number(_ digits: ArraySlice<UInt8>, radix: Int) -> Int? {
        guard !digits.isEmpty else { return nil }
        var number = 0
        for byte in digits {
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else {
                return nil
            }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: radix)
            let (sum, isSumTooLarge) = product.addingReportingOverflow(digit)
            guard !isTooLarge, !isSumTooLarge else { return nil }
            number = sum
        }
        return number
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return bytes[first...last]
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Returns whether a byte may be in a field's name: a token's characters, no blank.
    ///
    /// Source: RFC 9110 section 5.6.2.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
