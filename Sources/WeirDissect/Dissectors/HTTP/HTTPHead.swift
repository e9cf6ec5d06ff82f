import WeirWire

/// The first line of a message, and the properties of its body according to the header fields.
struct HTTPHead {
    /// The maximum length of a body in bytes, so that lengths can be added; a longer one counts as none, as in Wireshark.
    static let longestBody = 1 << 56

    var isRequest = false
    var isHead = false
    var isConnect = false
    var status = 0
    private(set) var framing = HTTPFraming()
    private var isSimple = false
    private var summary: MessageText

    /// Reads a head, whose last lines may be missing; nil if it is none.
    init?(_ bytes: RawSpan, _ end: Int, into message: inout DissectedMessage) {
        summary = MessageText()
        let bytes = bytes.extracting(0..<end)
        var lines = HTTPLines()
        guard let first = lines.nextOrRest(in: bytes)?.content, let line = HTTPStartLine(bytes, first) else {
            return nil
        }
        switch line {
        case .request(let method, let target, let version): addRequest(bytes, method, target, version, into: &message)
        case .answer(let version, let code, let status, let phrase):
            guard let status else { return nil }
            self.status = status
            addAnswer(bytes, version, code, phrase, into: &message)
        }
        while let line = lines.nextOrRest(in: bytes), !line.content.isEmpty {
            addField(bytes, line.content, into: &message)
        }
    }

    /// Returns the way in which the body ends.
    func body(answering request: HTTPDissector.Request?) -> HTTPFraming.Body {
        if isSimple { return .none }
        let body =
            isRequest
            ? framing.bodyOfRequest
            : framing.body(
                ofAnswer: status,
                toHead: request?.isHead == true,
                toConnect: request?.isConnect == true
            )
        guard case .bytes(let count) = body, count > Self.longestBody else { return body }
        return isRequest ? .none : .rest
    }

    func describe(into message: inout DissectedMessage) {
        if message.summary.isEmpty { message.summary = summary }
    }

    // MARK: - First lines

    private mutating func addRequest(
        _ bytes: RawSpan,
        _ method: Range<Int>,
        _ target: Range<Int>,
        _ version: Range<Int>,
        into message: inout DissectedMessage
    ) {
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
    }

    private mutating func addAnswer(
        _ bytes: RawSpan,
        _ version: Range<Int>,
        _ code: Range<Int>,
        _ phrase: Range<Int>,
        into message: inout DissectedMessage
    ) {
        message.add(HTTPFields.version, version, textOf: bytes)
        message.add(HTTPFields.status, code, .number(UInt64(status)))
        summary.append(escaped: bytes.extracting(code))
        guard !phrase.isEmpty else { return }
        message.add(HTTPFields.phrase, phrase, textOf: bytes)
        summary.append(" ")
        summary.append(escaped: bytes.extracting(phrase), upTo: 64)
    }

    /// Returns whether bytes can begin a message.
    static func canBegin(_ bytes: RawSpan) -> Bool {
        if bytes.agrees(with: HTTPStartLine.version) { return true }
        var index = 0
        while let byte = bytes.byte(at: index), isMethod(byte), index <= 24 { index += 1 }
        guard index >= 1, index <= 24, index < bytes.byteCount else { return index == bytes.byteCount }
        return index >= 3 && bytes.byte(at: index) == UInt8(ascii: " ")
    }

    /// Returns whether the first line is a whole request of HTTP/0.9.
    static func isSimple(_ bytes: RawSpan, _ line: Range<Int>) -> Bool {
        guard bytes.has("GET "), case .request(_, let target, let version) = HTTPStartLine(bytes, line) else {
            return false
        }
        // A version in place of the target is a request that went wrong.
        let hasVersion = bytes.has(" HTTP/", at: target.lowerBound - 1)
        return version.isEmpty && (!hasVersion || bytes.find(UInt8(ascii: " "), in: target) != nil)
    }

    private static func isMethod(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    // MARK: - Header fields

    private mutating func addField(_ bytes: RawSpan, _ line: Range<Int>, into message: inout DissectedMessage) {
        guard let field = HTTPField(bytes, line) else { return }
        guard let known = HTTPFields.headers.first(where: { field.isNamed($0.name, in: bytes) }) else {
            return message.add(HTTPFields.header, line, textOf: bytes)
        }
        message.add(known.field, field.value, textOf: bytes)
        framing.note(field, in: bytes)
        let isOfSummary = isRequest ? field.isNamed("host", in: bytes) : field.isNamed("content-type", in: bytes)
        guard isOfSummary else { return }
        summary.append(" ")
        summary.append(escaped: bytes.extracting(field.value), upTo: isRequest ? 100 : 64)
    }
}
