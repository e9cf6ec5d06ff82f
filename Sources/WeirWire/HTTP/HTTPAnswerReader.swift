/// A reader of one HTTP/1.1 answer in pieces of any size, which keeps no more of it than its limits allow.
///
/// Answers with a status of 1xx are skipped. The body ends with its chunks or its Content-Length, otherwise with the
/// connection; 204, 304 and an answer to HEAD have none. Bytes after the body are ignored. An answer that gives its
/// length twice is refused, and so is a length that is not digits only: two readers could disagree about its end.
///
/// Source: RFC 9112 sections 2.2, 4, 5, 6 and 7.1.
package struct HTTPAnswerReader: Sendable {
    /// The maximum size in bytes of the head, with the heads of 1xx answers before it and a chunked body's trailer.
    package static let longestHead = 64 << 10
    /// The maximum size of the body, in bytes.
    package static let longestBody = 64 << 20
    /// The maximum size in bytes of all lines with the sizes of chunks.
    private static let longestFraming = 64 << 20

    /// The first bytes of every answer.
    private static let version = HTTPStartLine.version.withUTF8Buffer { Array($0) }

    private enum Stage: Equatable {
        case status, fields
        /// The body, with the number of bytes still missing.
        case content(Int)
        case untilEnd
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailer
        case done
    }

    private let isToHead: Bool
    private var stage = Stage.status
    /// The line that is being read, without its end.
    private var line: [UInt8] = []
    private var headSize = 0
    private var framingSize = 0
    private var answer = HTTPAnswer(status: 0)
    private var framing = HTTPFraming()

    /// Creates a reader.
    ///
    /// - Parameter isToHead: Whether the request was HEAD, so that no answer has a body.
    package init(isToHead: Bool = false) {
        self.isToHead = isToHead
    }

    /// Reads a piece.
    ///
    /// - Returns: The answer as soon as it is whole; nil if more is needed.
    /// - Throws: `HTTPAnswerError`; nothing may be read after that.
    /// - Complexity: O(n) for n bytes.
    package mutating func read(_ bytes: ArraySlice<UInt8>) throws(HTTPAnswerError) -> HTTPAnswer? {
        var rest = bytes
        while stage != .done, !rest.isEmpty {
            switch stage {
            case .content(let missing):
                let part = rest.prefix(missing)
                answer.body += part
                rest = rest.dropFirst(part.count)
                stage = part.count == missing ? .done : .content(missing - part.count)
            case .chunk(let missing):
                let part = rest.prefix(missing)
                answer.body += part
                rest = rest.dropFirst(part.count)
                stage = part.count == missing ? .chunkEnd : .chunk(missing - part.count)
            case .untilEnd:
                try makeRoom(for: rest.count)
                answer.body += rest
                rest = rest.dropFirst(rest.count)
            case .status, .fields, .chunkSize, .chunkEnd, .trailer:
                guard let byte = rest.popFirst() else { break }
                try take(byte)
            case .done: break
            }
        }
        return stage == .done ? answer : nil
    }

    /// Ends the answer with its connection.
    ///
    /// - Returns: The answer.
    /// - Throws: `HTTPAnswerError` if it was not whole.
    package func finish() throws(HTTPAnswerError) -> HTTPAnswer {
        guard stage == .untilEnd || stage == .done else { throw .truncated }
        return answer
    }

    private func makeRoom(for count: Int) throws(HTTPAnswerError) {
        guard count <= Self.longestBody - answer.body.count else { throw .tooLong(.body, limit: Self.longestBody) }
    }

    // MARK: - Lines

    /// Takes one byte of a line, and handles the line with its last byte.
    ///
    /// A line ends with CR LF: a bare CR or LF is refused, because readers disagree about its meaning.
    private mutating func take(_ byte: UInt8) throws(HTTPAnswerError) {
        try count()
        if line.last == UInt8(ascii: "\r") {
            guard byte == UInt8(ascii: "\n") else { throw broken }
            line.removeLast()
            // Moved out, so that it can lend its bytes while the reader changes.
            var whole: [UInt8] = []
            swap(&whole, &line)
            try takeLine(whole.span.bytes)
            whole.removeAll(keepingCapacity: true)
            return swap(&whole, &line)
        }
        guard byte != UInt8(ascii: "\n") else { throw broken }
        line.append(byte)
        // Bytes that are not HTTP at all are recognised from the first ones.
        if stage == .status, line.count <= Self.version.count, byte != Self.version[line.count - 1] {
            throw .noStatusLine
        }
        if stage == .chunkEnd, line != [UInt8(ascii: "\r")] { throw .malformed(.chunk) }
    }

    private mutating func count() throws(HTTPAnswerError) {
        switch stage {
        case .chunkSize, .chunkEnd:
            framingSize += 1
            guard framingSize <= Self.longestFraming, line.count < 4096 else {
                throw .tooLong(.chunk, limit: 4096)
            }
        default:
            headSize += 1
            guard headSize <= Self.longestHead else { throw .tooLong(.head, limit: Self.longestHead) }
        }
    }

    private var broken: HTTPAnswerError {
        switch stage {
        case .status: .noStatusLine
        case .chunkSize, .chunkEnd: .malformed(.chunk)
        default: .malformed(.field)
        }
    }

    private mutating func takeLine(_ line: RawSpan) throws(HTTPAnswerError) {
        switch stage {
        case .status:
            try takeStatus(line)
            stage = .fields
        case .fields where line.isEmpty: try endHead()
        case .fields: try takeField(line)
        case .chunkSize:
            guard let chunk = HTTPChunkLine(line, 0..<line.byteCount), chunk.isExact else { throw .malformed(.chunk) }
            try makeRoom(for: chunk.size)
            stage = chunk.size == 0 ? .trailer : .chunk(chunk.size)
        case .chunkEnd: stage = .chunkSize
        case .trailer: if line.isEmpty { stage = .done }
        case .content, .chunk, .untilEnd, .done: break
        }
    }

    /// Takes `HTTP/1.1 200 OK`, with one blank between its parts.
    private mutating func takeStatus(_ bytes: RawSpan) throws(HTTPAnswerError) {
        guard case .answer(let version, let code, let status, _) = HTTPStartLine(bytes, 0..<bytes.byteCount),
            version.count == Self.version.count + 1,
            HTTPText.decimal(bytes, Self.version.count..<version.upperBound) != nil,
            code.lowerBound == version.upperBound + 1, code.count == 3,
            code.upperBound == bytes.byteCount || HTTPText.octet(bytes, code.upperBound) == UInt8(ascii: " ")
        else { throw .noStatusLine }
        guard let status, (100...599).contains(status) else { throw .malformed(.status) }
        answer = HTTPAnswer(status: status)
        framing = HTTPFraming(isOldVersion: HTTPText.octet(bytes, Self.version.count) == UInt8(ascii: "0"))
    }

    private mutating func takeField(_ bytes: RawSpan) throws(HTTPAnswerError) {
        guard let field = HTTPField(bytes, 0..<bytes.byteCount), field.hasTokenName(in: bytes) else {
            throw .malformed(.field)
        }
        if let fault = framing.note(field, in: bytes) { throw fault }
        answer.fields.append(HTTPAnswer.Field(field, in: bytes))
    }

    private mutating func endHead() throws(HTTPAnswerError) {
        guard !framing.isChunked || framing.length == nil else { throw .ambiguousLength }
        if answer.status < 200 {
            // 101 hands the connection over to a protocol that was not requested.
            guard answer.status != 101 else { throw .malformed(.status) }
            stage = .status
            return
        }
        switch framing.body(ofAnswer: answer.status, toHead: isToHead) {
        case .none: stage = .done
        case .bytes(let count):
            try makeRoom(for: count)
            stage = .content(count)
        case .chunked: stage = .chunkSize
        case .rest: stage = .untilEnd
        }
    }
}

extension HTTPAnswer.Field {
    /// Copies a field, with invalid UTF-8 repaired.
    fileprivate init(_ field: HTTPField, in bytes: RawSpan) {
        name = Self.text(bytes, field.name).lowercased()
        value = Self.text(bytes, field.value)
    }

    private static func text(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
