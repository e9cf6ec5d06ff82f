/// The first line of a message, and the properties of its body according to the header fields.
struct HTTPHead {
    /// The maximum length of a body in bytes, so that lengths can be added.
    static let longestBody = 1 << 56

    var isRequest = false
    var isHead = false
    var isConnect = false
    var hasUpgrade = false
    var isWebSocket = false
    var status = 0
    private var isChunked = false
    private var length: Int?
    private var isSimple = false
    private var summary: MessageText

    /// The way in which a body ends.
    enum Body {
        case none
        case bytes(Int)
        case chunked
        case rest
    }

    /// Reads a head, whose last lines may be missing; nil if it is none.
    init?(_ bytes: RawSpan, _ range: Range<Int>, firstEnd: Int, into message: inout DissectedMessage) {
        summary = MessageText()
        let first = Self.trimmed(bytes, range.lowerBound..<firstEnd)
        if bytes.has("HTTP/1.") {
            guard readStatus(bytes, first, into: &message) else { return nil }
        } else {
            guard readRequest(bytes, first, into: &message) else { return nil }
        }
        var start = min(firstEnd + 1, range.upperBound)
        while start < range.upperBound {
            let end = bytes.find(UInt8(ascii: "\n"), in: start..<range.upperBound) ?? range.upperBound
            let line = Self.trimmed(bytes, start..<end)
            start = end + 1
            guard !line.isEmpty else { break }
            readField(bytes, line, into: &message)
        }
    }

    /// Returns the way in which the body ends.
    ///
    /// Source: RFC 9112 section 6.3.
    func body(answering request: HTTPDissector.Request?) -> Body {
        if isSimple { return .none }
        if !isRequest {
            if status < 200 || status == 204 || status == 304 || request?.isHead == true { return .none }
            if request?.isConnect == true, status < 300 { return .none }
        }
        if isChunked { return .chunked }
        if let length { return length > 0 ? .bytes(length) : .none }
        return isRequest ? .none : .rest
    }

    func describe(into message: inout DissectedMessage) {
        if message.summary.isEmpty { message.summary = summary }
    }
}

// MARK: - First lines

extension HTTPHead {
    private mutating func readRequest(
        _ bytes: RawSpan,
        _ line: Range<Int>,
        into message: inout DissectedMessage
    ) -> Bool {
        let line = Self.withoutBlanksBehind(bytes, line)
        guard let methodEnd = bytes.find(UInt8(ascii: " "), in: line) else { return false }
        // A recipient may split on any run of blanks. Source: RFC 9112 section 3.
        let start = bytes.firstBehindBlanks(in: methodEnd..<line.upperBound)
        var (target, version) = (start..<line.upperBound, line.upperBound..<line.upperBound)
        if let blank = Self.findLast(UInt8(ascii: " "), bytes, target), bytes.has("HTTP/", at: blank + 1) {
            guard bytes.has("HTTP/1.", at: blank + 1) else { return false }
            target = Self.withoutBlanksBehind(bytes, target.lowerBound..<blank)
            version = (blank + 1)..<line.upperBound
        }
        // A target must not contain blanks; text after the first one does not belong to it.
        if !version.isEmpty, let blank = bytes.find(UInt8(ascii: " "), in: target) {
            target = target.lowerBound..<blank
        }
        let method = line.lowerBound..<methodEnd
        isRequest = true
        isSimple = version.isEmpty
        isHead = method.count == 4 && bytes.has("HEAD", at: method.lowerBound)
        isConnect = method.count == 7 && bytes.has("CONNECT", at: method.lowerBound)
        message.add(HTTPFields.method, method, textOf: bytes)
        message.add(HTTPFields.uri, target, textOf: bytes)
        if !version.isEmpty { message.add(HTTPFields.requestVersion, version, textOf: bytes) }
        summary.append(escaped: bytes.extracting(method), upTo: 32)
        summary.append(" ")
        summary.append(escaped: bytes.extracting(target))
        return true
    }

    private mutating func readStatus(
        _ bytes: RawSpan,
        _ line: Range<Int>,
        into message: inout DissectedMessage
    ) -> Bool {
        guard let blank = bytes.find(UInt8(ascii: " "), in: line) else { return false }
        // Source: RFC 9112 section 4, which also lets a recipient split on any run of blanks.
        let start = bytes.firstBehindBlanks(in: blank..<line.upperBound)
        var code = start..<min(start + 3, line.upperBound)
        for index in code {
            guard let byte = bytes.byte(at: index), byte >= 0x30, byte <= 0x39 else { return false }
            status = status * 10 + Int(byte - 0x30)
        }
        guard code.count == 3 else { return false }
        message.add(HTTPFields.version, line.lowerBound..<blank, textOf: bytes)
        message.add(HTTPFields.status, code, .number(UInt64(status)))
        summary.append(escaped: bytes.extracting(code))
        code = min(code.upperBound + 1, line.upperBound)..<line.upperBound
        if !code.isEmpty {
            message.add(HTTPFields.phrase, code, textOf: bytes)
            summary.append(" ")
            summary.append(escaped: bytes.extracting(code), upTo: 64)
        }
        return true
    }

    /// Returns whether bytes can begin a message.
    static func canBegin(_ bytes: RawSpan) -> Bool {
        if bytes.agrees(with: "HTTP/1.") { return true }
        var index = 0
        while let byte = bytes.byte(at: index), isMethod(byte), index <= 24 { index += 1 }
        guard index >= 1, index <= 24, index < bytes.byteCount else { return index == bytes.byteCount }
        return index >= 3 && bytes.byte(at: index) == UInt8(ascii: " ")
    }

    /// Returns whether the first line, which ends at an offset, is a whole request of HTTP/0.9.
    static func isSimple(_ bytes: RawSpan, _ end: Int) -> Bool {
        guard bytes.has("GET "), !bytes.has("HTTP/1.") else { return false }
        let line = withoutBlanksBehind(bytes, trimmed(bytes, 0..<end))
        guard let blank = findLast(UInt8(ascii: " "), bytes, line) else { return false }
        return !bytes.has("HTTP/", at: blank + 1)
    }

    private static func withoutBlanksBehind(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, bytes.isBlank(end - 1) { end -= 1 }
        return range.lowerBound..<end
    }

    private static func isMethod(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func findLast(_ byte: UInt8, _ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        range.last { bytes.byte(at: $0) == byte }
    }
}

// MARK: - Header fields

extension HTTPHead {
    private mutating func readField(_ bytes: RawSpan, _ line: Range<Int>, into message: inout DissectedMessage) {
        guard let colon = bytes.find(UInt8(ascii: ":"), in: line) else { return }
        let name = line.lowerBound..<colon
        var value = (colon + 1)..<line.upperBound
        while let first = value.first, bytes.isBlank(first) { value = (first + 1)..<value.upperBound }
        while let last = value.last, bytes.isBlank(last) { value = value.lowerBound..<last }
        guard let known = HTTPFields.headers.first(where: { bytes.hasLower($0.name, name) }) else {
            return message.add(HTTPFields.header, line, textOf: bytes)
        }
        message.add(known.field, value, textOf: bytes)
        switch bytes.byte(at: name.lowerBound).map({ $0 | 0x20 }) {
        case UInt8(ascii: "c") where name.count == 14: length = Self.decimal(bytes, value)
        case UInt8(ascii: "t"): isChunked = bytes.containsLower("chunked", value)
        case UInt8(ascii: "u") where name.count == 7:
            hasUpgrade = true
            isWebSocket = bytes.containsLower("websocket", value)
        case UInt8(ascii: "h"):
            guard isRequest else { return }
            summary.append(" ")
            summary.append(escaped: bytes.extracting(value), upTo: 100)
        case UInt8(ascii: "c") where name.count == 12 && !isRequest:
            summary.append(" ")
            summary.append(escaped: bytes.extracting(value), upTo: 64)
        default: return
        }
    }

    private static func decimal(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        var value = 0
        guard !range.isEmpty else { return nil }
        for index in range {
            guard let byte = bytes.byte(at: index), byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
            // An impossible length counts as none, as in Wireshark.
            guard value <= longestBody else { return nil }
        }
        return value
    }

    /// Reads a hexadecimal number up to the first byte that is no digit; nil if there is none.
    static func hexadecimal(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        var (value, count) = (0, 0)
        for index in range {
            guard let byte = bytes.byte(at: index), let digit = hexDigit(byte) else { break }
            guard value <= longestBody >> 4 else { return nil }
            value = value << 4 | digit
            count += 1
        }
        return count > 0 ? value : nil
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }

    /// Removes the carriage return at a line's end.
    private static func trimmed(_ bytes: RawSpan, _ line: Range<Int>) -> Range<Int> {
        guard let last = line.last, bytes.byte(at: last) == UInt8(ascii: "\r") else { return line }
        return line.lowerBound..<last
    }
}

extension RawSpan {
    /// Finds the first byte of a range that is no blank; its end if all are blanks.
    func firstBehindBlanks(in range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, isBlank(index) { index += 1 }
        return index
    }

    fileprivate func isBlank(_ offset: Int) -> Bool {
        byte(at: offset) == UInt8(ascii: " ") || byte(at: offset) == UInt8(ascii: "\t")
    }

    /// Returns whether a range equals a lower-case text, ignoring case.
    fileprivate func hasLower(_ text: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.upperBound <= byteCount else { return false }
        return text.withUTF8Buffer { text in
            for (index, place) in range.enumerated() {
                let byte = unsafeLoad(fromByteOffset: place, as: UInt8.self)
                let lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
                guard lower == text[index] else { return false }
            }
            return true
        }
    }

    /// Returns whether a range contains a lower-case text, ignoring case.
    fileprivate func containsLower(_ text: StaticString, _ range: Range<Int>) -> Bool {
        let count = text.utf8CodeUnitCount
        guard range.count >= count else { return false }
        return (range.lowerBound...(range.upperBound - count)).contains { hasLower(text, $0..<($0 + count)) }
    }
}
