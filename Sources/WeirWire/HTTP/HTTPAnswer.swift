/// A whole HTTP/1.1 answer.
///
/// Source: RFC 9110 section 15.
package struct HTTPAnswer: Hashable, Sendable {
    /// The status code, 200...599.
    package var status: Int
    /// The header fields of the head, in order; not those after a chunked body.
    package var fields: [Field] = []
    /// The content, with its chunks joined.
    package var body: [UInt8] = []

    /// A header field.
    package struct Field: Hashable, Sendable {
        /// The name, in lower case.
        package var name: String
        /// The value, without the blanks around it.
        package var value: String
    }

    /// Returns the value of the first field with a name, given in lower case; nil if there is none.
    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// The reason why bytes are not an HTTP/1.1 answer, or one that Weir does not read.
package enum HTTPAnswerError: Error, Hashable, CustomStringConvertible {
    /// The first line is no status line.
    case noStatusLine
    /// A line of the head, or of a chunk, breaks the grammar.
    case malformed(Part)
    /// A part is longer than its limit, in bytes.
    case tooLong(Part, limit: Int)
    /// The body's length is given in a way that Weir does not read, or in two ways that disagree.
    case ambiguousLength
    /// The connection ended before the answer did.
    case truncated

    /// A part of an answer.
    package enum Part: String, Hashable, Sendable {
        case head, body
        case field = "header field"
        case length = "Content-Length"
        case chunk = "chunk size"
        case coding = "Transfer-Encoding"
        case status = "status code"
    }

    /// The error in a few words that follow "the answer": `is not whole`.
    package var description: String {
        switch self {
        case .noStatusLine: "is no HTTP/1.1"
        case .malformed(let part): "has a \(part.rawValue) that is not understood"
        case .tooLong(let part, let limit): "has a \(part.rawValue) of more than \(limit) bytes"
        case .ambiguousLength: "says twice, and differently, how long it is"
        case .truncated: "is not whole"
        }
    }
}
