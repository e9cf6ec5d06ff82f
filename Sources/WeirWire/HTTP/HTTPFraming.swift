/// What the fields of a head say about the end of the message's body, and about the protocol after it.
///
/// It takes what it can understand, and of several fields the last one, as a reader of others' traffic must. A reader that
/// acts on the answer must be strict: for it, `note` returns the reason to refuse the head.
///
/// Source: RFC 9112 section 6.
package struct HTTPFraming: Sendable {
    /// The length of the body by Content-Length, in bytes.
    package private(set) var length: Int?
    /// Whether the body has chunks.
    package private(set) var isChunked = false
    /// Whether the head offers or announces another protocol.
    package private(set) var hasUpgrade = false
    /// Whether that protocol is WebSocket.
    package private(set) var isWebSocket = false
    private let isOldVersion: Bool

    /// The way in which a body ends.
    package enum Body: Hashable, Sendable {
        /// There is no body.
        case none
        /// After a number of bytes, which is not 0.
        case bytes(Int)
        /// With the last of its chunks.
        case chunked
        /// With the connection.
        case rest
    }

    /// Creates the framing of a head without fields.
    ///
    /// - Parameter isOldVersion: Whether the message is one of HTTP/1.0, which has no chunks.
    package init(isOldVersion: Bool = false) {
        self.isOldVersion = isOldVersion
    }

    /// Notes a field.
    ///
    /// - Returns: The reason why a strict reader must refuse the head, if there is one.
    @discardableResult
    package mutating func note(_ field: HTTPField, in bytes: RawSpan) -> HTTPAnswerError? {
        if field.isNamed("content-length", in: bytes) { return noteLength(field, bytes) }
        if field.isNamed("transfer-encoding", in: bytes) { return noteCoding(field, bytes) }
        if field.isNamed("upgrade", in: bytes) {
            hasUpgrade = true
            isWebSocket = HTTPText.contains(bytes, field.value, "websocket")
        }
        return nil
    }

    private mutating func noteLength(_ field: HTTPField, _ bytes: RawSpan) -> HTTPAnswerError? {
        let before = length
        length = HTTPText.decimal(bytes, field.value)
        guard let length else { return .malformed(.length) }
        return before == nil || before == length ? nil : .ambiguousLength
    }

    private mutating func noteCoding(_ field: HTTPField, _ bytes: RawSpan) -> HTTPAnswerError? {
        // HTTP/1.0 has no chunks; a second coding, or the same one twice, was not requested.
        let isFault = isChunked || isOldVersion || !HTTPText.equals(bytes, field.value, "chunked")
        isChunked = HTTPText.contains(bytes, field.value, "chunked")
        return isFault ? .malformed(.coding) : nil
    }

    /// The way in which the body of a request ends.
    ///
    /// Source: RFC 9112 section 6.3.
    package var bodyOfRequest: Body {
        if isChunked { return .chunked }
        guard let length, length > 0 else { return .none }
        return .bytes(length)
    }

    /// Returns the way in which the body of an answer ends.
    ///
    /// Source: RFC 9112 section 6.3.
    ///
    /// - Parameters:
    ///   - status: The status code of the answer.
    ///   - isToHead: Whether the request was HEAD.
    ///   - isToConnect: Whether the request was CONNECT: after success a tunnel follows, and no body.
    /// - Returns: The way.
    package func body(ofAnswer status: Int, toHead isToHead: Bool, toConnect isToConnect: Bool = false) -> Body {
        if status < 200 || status == 204 || status == 304 || isToHead { return .none }
        if isToConnect, status < 300 { return .none }
        return !isChunked && length == nil ? .rest : bodyOfRequest
    }
}
