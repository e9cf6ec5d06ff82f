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
    private var head = HTTPAnswerHead()
    private var body: [UInt8] = []

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
                body += part
                rest = rest.dropFirst(part.count)
                stage = part.count == missing ? .done : .content(missing - part.count)
            case .chunk(let missing):
                let part = rest.prefix(missing)
                body += part
                rest = rest.dropFirst(part.count)
                stage = part.count == missing ? .chunkEnd : .chunk(missing - part.count)
            case .untilEnd:
                try makeRoom(for: rest.count)
                body += rest
                rest = rest.dropFirst(rest.count)
            case .status, .fields, .chunkSize, .chunkEnd, .trailer:
                guard let byte = rest.popFirst() else { break }
                try take(byte)
            case .done: break
            }
        }
        return stage == .done ? HTTPAnswer(status: head.status, body: body) : nil
    }

    /// Ends the answer with its connection.
    ///
    /// - Returns: The answer.
    /// - Throws: `HTTPAnswerError` if it was not whole.
    package func finish() throws(HTTPAnswerError) -> HTTPAnswer {
        guard stage == .untilEnd || stage == .done else { throw .truncated }
        return HTTPAnswer(status: head.status, body: body)
    }

    private func makeRoom(for count: Int) throws(HTTPAnswerError) {
        guard count <= Self.longestBody - body.count else { throw .tooLong(.body, limit: Self.longestBody) }
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
            try takeLine()
            return line.removeAll(keepingCapacity: true)
        }
        guard byte != UInt8(ascii: "\n") else { throw broken }
        line.append(byte)
        // Bytes that are not HTTP at all are recognised from the first ones.
        if stage == .status, line.count <= HTTPAnswerHead.version.count {
            guard line.last == HTTPAnswerHead.version[line.count - 1] else { throw .noStatusLine }
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

    private mutating func takeLine() throws(HTTPAnswerError) {
        switch stage {
        case .status:
            head = try HTTPAnswerHead(statusLine: line)
            stage = .fields
        case .fields where line.isEmpty: try endHead()
        case .fields: try head.takeField(line)
        case .chunkSize:
            let size = try HTTPAnswerHead.chunkSize(line)
            try makeRoom(for: size)
            stage = size == 0 ? .trailer : .chunk(size)
        case .chunkEnd: stage = .chunkSize
        case .trailer: if line.isEmpty { stage = .done }
        case .content, .chunk, .untilEnd, .done: break
        }
    }

    private mutating func endHead() throws(HTTPAnswerError) {
        guard !head.isChunked || head.length == nil else { throw .ambiguousLength }
        if head.status < 200 {
            // 101 hands the connection over to a protocol that was not requested.
            guard head.status != 101 else { throw .malformed(.status) }
            stage = .status
        } else if isToHead || head.status == 204 || head.status == 304 {
            stage = .done
        } else if head.isChunked {
            stage = .chunkSize
        } else if let length = head.length {
            try makeRoom(for: length)
            stage = length == 0 ? .done : .content(length)
        } else {
            stage = .untilEnd
        }
    }
}
