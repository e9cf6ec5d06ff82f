import WeirWire

/// The fields of HTTP messages.
enum HTTPFields {
    static let method = FieldName("http.request.method", "The request's method", role: .method)
    static let uri = FieldName("http.request.uri", "The request's target", role: .path)
    static let requestVersion = FieldName("http.request.version", "The version in a request")
    static let version = FieldName("http.response.version", "The version in an answer")
    static let status = FieldName("http.response.code", "The answer's status code", role: .status)
    static let phrase = FieldName("http.response.phrase", "The words behind the status code")
    static let host = FieldName("http.host", "The host that the request is for", finding: .host)
    static let header = FieldName("http.header", "A header field that has no name of its own here")
    static let body = FieldName("http.body", "The body, with its length in bytes")

    /// The header fields that have names of their own, in lower case.
    static let headers: [(name: StaticString, field: FieldName)] = [
        ("host", host),
        ("user-agent", FieldName("http.user_agent", "The client's program")),
        ("content-type", FieldName("http.content_type", "The body's type")),
        ("content-length", FieldName("http.content_length_header", "The body's length in bytes")),
        ("transfer-encoding", FieldName("http.transfer_encoding", "How the body is sent, such as in chunks")),
        ("content-encoding", FieldName("http.content_encoding", "How the body is compressed")),
        ("connection", FieldName("http.connection", "Whether the connection is kept, closed or upgraded")),
        ("upgrade", FieldName("http.upgrade", "The protocols to change to")),
        ("server", FieldName("http.server", "The server's program")),
        ("location", FieldName("http.location", "Where the client is sent to")),
        ("accept", FieldName("http.accept", "The types that the client takes")),
        ("cookie", FieldName("http.cookie", "The cookies of the client")),
        ("set-cookie", FieldName("http.set_cookie", "A cookie that the server sets")),
        ("authorization", FieldName("http.authorization", "The client's credentials")),
        ("referer", FieldName("http.referer", "The page that the client came from")),
        ("date", FieldName("http.date", "When the answer was made")),
    ]

    static let all = [method, uri, requestVersion, version, status, phrase, body, header] + headers.map(\.field)
}
