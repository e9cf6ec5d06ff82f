import WeirWire

extension HTTPDissector {
    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        if bytes.agrees(with: "HTTP/1.") {
            guard bytes.byteCount >= 9 else { return start.transport == .tcp ? .more(9) : .no }
            return bytes.byte(at: 8) == UInt8(ascii: " ") ? .yes : .no
        }
        return recognizeRequest(bytes, start)
    }

    private static func recognizeRequest(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let first = bytes.byte(at: 0), first >= 0x41, first <= 0x5a, HTTPHead.canBegin(bytes) else { return .no }
        // No method is longer than 24 bytes.
        guard let blank = bytes.find(UInt8(ascii: " "), in: 0..<25) else { return .more(min(bytes.byteCount + 1, 25)) }
        var lines = HTTPLines()
        guard let line = lines.next(in: bytes) else {
            let target = HTTPText.skippingBlanks(bytes, blank..<bytes.byteCount)
            let isTarget = bytes.byte(at: target) == UInt8(ascii: "/") || bytes.has("http", at: target)
            guard isTarget || bytes.byteCount == target else { return .maybe }
            return bytes.byteCount < 16 ? .more(16) : methods.contains { bytes.has($0) } ? .yes : .maybe
        }
        let target = blank..<(line.end - 1)
        if contains(" HTTP/1.", bytes, target) { return start.transport == .tcp || first != 0 ? .yes : .no }
        // Protocols with similar lines, such as SIP and RTSP.
        if contains(" SIP/", bytes, target) || contains(" RTSP/", bytes, target) { return .no }
        return HTTPHead.isSimple(bytes, line.content) ? .maybe : .no
    }

    private static let methods: [StaticString] = [
        "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ",
    ]

    /// Returns whether a text is among the last 24 bytes of a line, the place of the version.
    private static func contains(_ text: StaticString, _ bytes: RawSpan, _ line: Range<Int>) -> Bool {
        (max(line.lowerBound, line.upperBound - 24)..<line.upperBound).contains { bytes.has(text, at: $0) }
    }
}
