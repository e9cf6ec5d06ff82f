import WeirWire

/// One message of HTTP/1, with its fields and its body as they were sent, without chunks.
///
/// Source: RFC 9112.
public struct HTTPContent: Sendable {
    /// A field of the head.
    public struct Field: Hashable, Sendable {
        /// The name, as it was sent.
        public var name: [UInt8]
        /// The value, without the blanks around it.
        public var value: [UInt8]
    }

    /// The method; empty in an answer.
    public var method: [UInt8] = []
    /// The target; empty in an answer.
    public var target: [UInt8] = []
    /// The status; 0 in a request.
    public var status = 0
    /// The words after the status.
    public var phrase: [UInt8] = []
    /// The version, such as `HTTP/1.1`; empty in a request of HTTP/0.9.
    public var version: [UInt8] = []
    /// The fields of the head, in order.
    public var fields: [Field] = []
    /// The size of the head in bytes, with the empty line at its end.
    public var headSize = 0
    /// The body, with its chunks joined; still coded as `Content-Encoding` says.
    public var body: [UInt8] = []
    /// The size of the body as it was sent, with the lines between chunks.
    public var sentBodySize = 0
    /// Whether the body had chunks.
    public var isChunked = false
    /// Whether bytes of the body are missing, or its chunks make no sense.
    public var isCut = false
    /// Whether the message was encrypted, so that its URL is one of HTTPS.
    public var isDecrypted = false
    /// The number of bytes of the body that were not captured, which are zeros here.
    public var missing = 0
    /// The number of bytes that were not kept, because there are too many.
    public var leftOut = 0

    /// Reads a message whose bytes are known; nil if they do not begin with a head.
    public init?(_ content: HeldBytes.Content, isComplete: Bool) {
        var framing = HTTPFraming()
        let isHead = content.bytes.withUnsafeBytes { readHead($0.bytes, &framing) }
        guard isHead else { return nil }
        isChunked = framing.isChunked
        missing = content.missing
        leftOut = content.leftOut
        isCut = !isComplete || !content.isWhole
        sentBodySize = content.bytes.count - headSize + content.leftOut
        guard isChunked else {
            body = Array(content.bytes[headSize...])
            return
        }
        let whole = content.bytes.withUnsafeBytes { Self.appendChunks($0.bytes, from: headSize, to: &body) }
        if !whole { isCut = true }
    }

    private mutating func readHead(_ bytes: RawSpan, _ framing: inout HTTPFraming) -> Bool {
        // Empty lines before a request are skipped. Source: RFC 9112 section 2.2.
        var from = 0
        while from < bytes.byteCount, [13, 10].contains(bytes.unsafeLoad(fromByteOffset: from, as: UInt8.self)) {
            from += 1
        }
        var lines = HTTPLines(from: from)
        guard let first = lines.nextOrRest(in: bytes), let line = HTTPStartLine(bytes, first.content) else {
            return false
        }
        headSize = first.end
        switch line {
        case .request(let method, let target, let version):
            self.method = bytes.array(method)
            self.target = bytes.array(target)
            self.version = bytes.array(version)
            // A request of HTTP/0.9 is one line.
            if version.isEmpty { return true }
        case .answer(let version, _, let status, let phrase):
            guard let status, status > 0 else { return false }
            self.status = status
            self.phrase = bytes.array(phrase)
            self.version = bytes.array(version)
        }
        while let line = lines.nextOrRest(in: bytes) {
            headSize = line.end
            if line.content.isEmpty { break }
            guard let field = HTTPField(bytes, line.content) else { continue }
            framing.note(field, in: bytes)
            fields.append(Field(name: bytes.array(field.name), value: bytes.array(field.value)))
        }
        return true
    }

    /// Joins the chunks of a body; returns whether its last chunk is there.
    ///
    /// Source: RFC 9112 section 7.1.
    private static func appendChunks(_ bytes: RawSpan, from start: Int, to body: inout [UInt8]) -> Bool {
        var at = start
        while true {
            var lines = HTTPLines(from: at)
            guard let line = lines.next(in: bytes), let size = HTTPChunkLine(bytes, line.content)?.size else {
                return false
            }
            if size == 0 { return true }
            let kept = bytes.extracting(line.end..<min(line.end + min(size, bytes.byteCount), bytes.byteCount))
            kept.withUnsafeBytes { body.append(contentsOf: $0) }
            guard kept.byteCount == size else { return false }
            at = line.end + size
            // The end of the chunk's data.
            if at < bytes.byteCount, bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self) == 13 { at += 1 }
            if at < bytes.byteCount, bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self) == 10 { at += 1 }
        }
    }
}

extension HTTPContent {
    /// Returns the value of the first field with a name in lower case; nil if there is none.
    public func value(_ name: String) -> String? {
        fields.first { $0.isNamed(name) }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// The content codings in the order in which they were applied, in one list; nil if there are none.
    public var codings: String? {
        let all = fields.filter { $0.isNamed("content-encoding") }.map { String(decoding: $0.value, as: UTF8.self) }
        return all.isEmpty ? nil : all.joined(separator: ",")
    }

    /// Whether the message is a request.
    public var isRequest: Bool { status == 0 }

    /// The type of the body without its parameters, in lower case; empty if the head does not tell it.
    public var mediaType: String {
        let value = value("content-type") ?? ""
        let type = value.prefix { $0 != ";" }.lowercased()
        return String(type.drop { $0 == " " }.prefix { $0 != " " })
    }
}

extension HTTPContent.Field {
    /// Returns whether the field has a name, given in lower case.
    public func isNamed(_ other: String) -> Bool {
        name.count == other.utf8.count
            && zip(name, other.utf8).allSatisfy { byte, letter in
                (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) == letter
            }
    }
}

extension RawSpan {
    /// Copies a range, which must be there.
    fileprivate func array(_ range: Range<Int>) -> [UInt8] { extracting(range).withUnsafeBytes { Array($0) } }
}
