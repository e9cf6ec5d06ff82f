/// The first line of a message of HTTP/1, in ranges of the bytes that hold it.
///
/// Parts may be separated by any run of blanks, as RFC 9112 lets a reader do; whoever must be strict compares the ranges.
///
/// Source: RFC 9112 sections 3 and 4; RFC 1945 section 4.1 for requests of HTTP/0.9, which have no version.
package enum HTTPStartLine: Hashable, Sendable {
    /// The line of a request; the version is empty in one of HTTP/0.9.
    case request(method: Range<Int>, target: Range<Int>, version: Range<Int>)
    /// The line of an answer: the code is up to three bytes, and `status` is nil if they are no three digits.
    case answer(version: Range<Int>, code: Range<Int>, status: Int?, phrase: Range<Int>)

    /// The first bytes of every answer.
    package static let version: StaticString = "HTTP/1."

    /// Reads a line, which must lie within the bytes; nil if it is neither.
    package init?(_ bytes: RawSpan, _ line: Range<Int>) {
        if Self.has(Self.version, bytes, line) {
            self.init(answer: bytes, line)
        } else {
            self.init(request: bytes, line)
        }
    }

    private init?(answer bytes: RawSpan, _ line: Range<Int>) {
        guard let blank = bytes.find(UInt8(ascii: " "), in: line) else { return nil }
        let start = HTTPText.skippingBlanks(bytes, blank..<line.upperBound)
        let code = start..<min(start + 3, line.upperBound)
        let status = code.count == 3 ? HTTPText.decimal(bytes, code) : nil
        let phrase = min(code.upperBound + 1, line.upperBound)..<line.upperBound
        self = .answer(version: line.lowerBound..<blank, code: code, status: status, phrase: phrase)
    }

    private init?(request bytes: RawSpan, _ whole: Range<Int>) {
        let line = Self.withoutBlanksAtEnd(bytes, whole)
        guard let blank = bytes.find(UInt8(ascii: " "), in: line) else { return nil }
        var target = HTTPText.skippingBlanks(bytes, blank..<line.upperBound)..<line.upperBound
        var version = line.upperBound..<line.upperBound
        let last = target.last { HTTPText.octet(bytes, $0) == UInt8(ascii: " ") }
        if let last, Self.has("HTTP/", bytes, (last + 1)..<line.upperBound) {
            version = (last + 1)..<line.upperBound
            guard Self.has(Self.version, bytes, version) else { return nil }
            target = Self.withoutBlanksAtEnd(bytes, target.lowerBound..<last)
            // A target must not contain blanks; text after the first one does not belong to it.
            if let blank = bytes.find(UInt8(ascii: " "), in: target) { target = target.lowerBound..<blank }
        }
        self = .request(method: line.lowerBound..<blank, target: target, version: version)
    }

    private static func has(_ text: StaticString, _ bytes: RawSpan, _ range: Range<Int>) -> Bool {
        guard range.count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for (index, character) in text.enumerated()
            where HTTPText.octet(bytes, range.lowerBound + index) != character { return false }
            return true
        }
    }

    private static func withoutBlanksAtEnd(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, HTTPText.isBlank(HTTPText.octet(bytes, end - 1)) { end -= 1 }
        return range.lowerBound..<end
    }
}
