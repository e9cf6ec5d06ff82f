public import WeirWire

/// A writer of the exchanges of HTTP as an HTTP archive, which the developer tools of browsers open.
///
/// Entries are sorted by their times, as the tools expect: those of answers that came late, or never, too. They are kept for
/// that, up to 256 MiB of them; of a larger archive the earliest half of them is written then.
///
/// Source: HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/.
public struct HARWriter: Sendable {
    /// The facts about an exchange that its messages do not tell.
    public struct Connection: Sendable {
        /// The number of the flow.
        public var flow: Int
        /// The client.
        public var client: Endpoint
        /// The server, as the client knows it.
        public var server: Endpoint
        /// The time from the client's SYN to the server's answer, in nanoseconds, for the first request; nil if it is
        /// not known.
        public var connect: Int64?

        /// Creates the facts.
        public init(flow: Int, client: Endpoint, server: Endpoint, connect: Int64? = nil) {
            self.flow = flow
            self.client = client
            self.server = server
            self.connect = connect
        }
    }

    /// A body without its content codings, and what is wrong with it.
    public struct Body: Sendable {
        /// The bytes.
        public var bytes: [UInt8]
        /// What is wrong, in a few words; nil if nothing is.
        public var trouble: String?

        /// Creates a body.
        public init(bytes: [UInt8], trouble: String? = nil) {
            self.bytes = bytes
            self.trouble = trouble
        }
    }

    private let version: String
    private var timestamp = Timestamp()
    /// The number of entries so far.
    public private(set) var entries = 0
    /// An entry that was not written yet.
    private struct Waiting: Sendable {
        var start: Int64
        var text: [UInt8]
    }

    private var waiting: [Waiting] = []
    /// The number of bytes of the entries that were not written yet.
    private var size = 0
    private let mostKept: Int
    private var hasWritten = false

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - version: The version of this program.
    ///   - mostKept: The maximum number of bytes of entries that are kept to sort them.
    public init(version: String, mostKept: Int = 256 << 20) {
        self.version = version
        self.mostKept = mostKept
    }

    /// Appends what comes before the entries.
    public func begin(to output: inout ByteBuffer) {
        output.append("{\"log\":{\"version\":\"1.2\",\"creator\":")
        output.appendJSON { json in
            json.object { json in
                json.member("name", "weir" as StaticString)
                json.member("version", version)
            }
        }
        output.append(",\"pages\":[],\"entries\":[\n")
    }

    /// Appends the entries that were kept, and what comes after them.
    public mutating func finish(to output: inout ByteBuffer) {
        write(waiting.count, to: &output)
        output.append("\n]}}\n")
    }

    /// Appends the earliest entries.
    private mutating func write(_ count: Int, to output: inout ByteBuffer) {
        // Of the same time the first stays first.
        waiting = waiting.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            .map(\.element)
        for entry in waiting.prefix(count) {
            if hasWritten { output.append(",\n") }
            hasWritten = true
            output.append(entry.text.span.bytes)
            size -= entry.text.count
        }
        waiting.removeFirst(count)
    }

    /// Adds an exchange with a request; one without is left out, as an entry must have one.
    public mutating func append(
        _ exchange: HTTPExchange,
        _ connection: Connection,
        requestBody: Body,
        answerBody: Body,
        to output: inout ByteBuffer
    ) {
        guard let request = exchange.request else { return }
        entries += 1
        var times = Times(exchange, exchange.number == 1 ? connection.connect : nil)
        times.start &-= max(times.connect, 0)
        var entry = ByteBuffer(capacity: 1024 + requestBody.bytes.count + answerBody.bytes.count)
        entry.appendJSON { json in
            json.object { json in
                json.member("startedDateTime", times.start, by: &timestamp)
                json.member("time", Self.milliseconds(times.total))
                json.object("request") { Self.appendRequest(request.content, connection, requestBody, to: &$0) }
                json.object("response") { Self.appendAnswer(exchange.answer?.content, answerBody, to: &$0) }
                json.object("cache") { _ in }
                json.object("timings") { json in
                    json.member("blocked", -1)
                    json.member("dns", -1)
                    json.member("connect", times.connect < 0 ? JSONNumber("-1") : Self.milliseconds(times.connect))
                    json.member("ssl", -1)
                    json.member("send", Self.milliseconds(times.send))
                    json.member("wait", Self.milliseconds(times.wait))
                    json.member("receive", Self.milliseconds(times.receive))
                }
                json.member("serverIPAddress", connection.server.address)
                json.member("connection", "\(connection.flow)")
                if let comment = Self.comment(exchange, requestBody, answerBody) { json.member("comment", comment) }
            }
        }
        size += entry.count
        waiting.append(Waiting(start: times.start, text: entry.withUnsafeBytes { Array($0) }))
        if size > mostKept { write((waiting.count + 1) / 2, to: &output) }
    }

    /// The times of an exchange, in nanoseconds; those that are not known are 0, but for `connect`, which is -1.
    private struct Times {
        var start: Int64
        var connect: Int64
        var send: Int64 = 0
        var wait: Int64 = 0
        var receive: Int64 = 0

        init(_ exchange: HTTPExchange, _ connect: Int64?) {
            let (request, answer) = (exchange.request, exchange.answer)
            start = request?.firstTime ?? request?.time ?? answer?.firstTime ?? 0
            self.connect = connect.map { max($0, 0) } ?? -1
            let sent = request?.time ?? start
            send = max(sent &- start, 0)
            guard let first = answer?.firstTime ?? answer?.time else { return }
            wait = max(first &- sent, 0)
            receive = max((answer?.time ?? first) &- first, 0)
        }

        /// The sum of the known times; clamped, as times in a capture may be any.
        var total: Int64 {
            [send, wait, receive].reduce(max(connect, 0)) { sum, part in
                let (total, overflow) = sum.addingReportingOverflow(part)
                return overflow ? .max : total
            }
        }
    }

    private static func milliseconds(_ nanoseconds: Int64) -> JSONNumber {
        var text = ByteBuffer(capacity: 32)
        text.appendDecimal(nanoseconds / 1_000_000)
        text.append(".")
        text.appendDecimal(Int(nanoseconds % 1_000_000), width: 6)
        return JSONNumber(text.string)
    }

    private static func comment(_ exchange: HTTPExchange, _ request: Body, _ answer: Body) -> String? {
        var words: [String] = []
        if exchange.answer == nil { words.append("no answer was captured") }
        if exchange.request?.content.isCut == true { words.append("the request's body was not captured whole") }
        if exchange.answer?.content.isCut == true { words.append("the answer's body was not captured whole") }
        if let trouble = request.trouble { words.append("the request's body: \(trouble)") }
        if let trouble = answer.trouble { words.append("the answer's body: \(trouble)") }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}

// MARK: - Messages

extension HARWriter {
    private static func appendRequest(
        _ request: HTTPContent,
        _ connection: Connection,
        _ body: Body,
        to json: inout JSONWriter
    ) {
        let target = text(request.target)
        json.member("method", text(request.method))
        json.member("url", url(request, target, connection))
        json.member("httpVersion", request.version.isEmpty ? "HTTP/0.9" : text(request.version))
        json.array("cookies") { json in
            for field in request.fields where field.isNamed("cookie") {
                for pair in text(field.value).split(separator: ";") { appendCookie(pair, [], to: &json) }
            }
        }
        appendFields(request, to: &json)
        json.array("queryString") { json in
            guard let mark = target.firstIndex(of: "?") else { return }
            for pair in target[target.index(after: mark)...].split(separator: "&") {
                let name = pair.prefix { $0 != "=" }
                json.object { json in
                    json.member("name", decoded(name))
                    json.member("value", decoded(pair.dropFirst(name.count + 1)))
                }
            }
        }
        if !body.bytes.isEmpty {
            json.object("postData") { json in
                json.member("mimeType", request.value("content-type") ?? "application/octet-stream")
                json.array("params") { _ in }
                let isText = isText(body.bytes)
                json.member("text", isText ? text(body.bytes) : Base64.encode(body.bytes))
                // HAR 1.2 has no encoding here; the tools that know one take it from this member.
                if !isText { json.member("encoding", "base64" as StaticString) }
            }
        }
        json.member("headersSize", request.headSize)
        json.member("bodySize", request.sentBodySize)
    }

    private static func appendAnswer(_ answer: HTTPContent?, _ body: Body, to json: inout JSONWriter) {
        guard let answer else {
            json.member("status", 0)
            json.member("statusText", "")
            json.member("httpVersion", "")
            for key in ["cookies", "headers"] as [StaticString] { json.array(key) { _ in } }
            json.object("content") { json in
                json.member("size", 0)
                json.member("mimeType", "x-unknown" as StaticString)
            }
            json.member("redirectURL", "")
            json.member("headersSize", -1)
            return json.member("bodySize", -1)
        }
        json.member("status", answer.status)
        json.member("statusText", text(answer.phrase))
        json.member("httpVersion", text(answer.version))
        json.array("cookies") { json in
            for field in answer.fields where field.isNamed("set-cookie") {
                let parts = text(field.value).split(separator: ";")
                if let first = parts.first { appendCookie(first, parts.dropFirst().map { String($0) }, to: &json) }
            }
        }
        appendFields(answer, to: &json)
        json.object("content") { json in
            json.member("size", body.bytes.count)
            if body.bytes.count != answer.sentBodySize {
                json.member("compression", body.bytes.count - answer.sentBodySize)
            }
            json.member("mimeType", answer.value("content-type") ?? "application/octet-stream")
            guard !body.bytes.isEmpty else { return }
            if isText(body.bytes) {
                json.member("text", utf8: body.bytes.span.bytes)
            } else {
                json.member("text", base64: body.bytes.span.bytes)
                json.member("encoding", "base64" as StaticString)
            }
        }
        json.member("redirectURL", answer.value("location") ?? "")
        json.member("headersSize", answer.headSize)
        json.member("bodySize", answer.sentBodySize)
    }

    private static func appendFields(_ message: HTTPContent, to json: inout JSONWriter) {
        json.array("headers") { json in
            for field in message.fields {
                json.object { json in
                    json.member("name", text(field.name))
                    json.member("value", text(field.value))
                }
            }
        }
    }

    private static func appendCookie(_ pair: Substring, _ attributes: [String], to json: inout JSONWriter) {
        let pair = pair.drop { $0 == " " }
        let name = pair.prefix { $0 != "=" }
        json.object { json in
            json.member("name", String(name))
            json.member("value", String(pair.dropFirst(name.count + 1)))
            for attribute in attributes {
                let word = attribute.drop { $0 == " " }
                switch word.prefix(while: { $0 != "=" }).lowercased() {
                case "path": json.member("path", String(word.dropFirst(5)))
                case "domain": json.member("domain", String(word.dropFirst(7)))
                case "httponly": json.member("httpOnly", true)
                case "secure": json.member("secure", true)
                default: break
                }
            }
        }
    }

    private static func url(_ request: HTTPContent, _ target: String, _ connection: Connection) -> String {
        if target.contains("://") { return target }
        let host = request.value("host").flatMap { $0.isEmpty ? nil : $0 } ?? "\(connection.server)"
        let scheme = request.isDecrypted ? "https" : "http"
        return "\(scheme)://\(host)\(target.hasPrefix("/") ? "" : "/")\(target)"
    }

    /// Returns a part of a query with what is percent-encoded replaced.
    private static func decoded(_ text: Substring) -> String {
        PercentText.decode(text.replacing("+", with: " ")) ?? String(text)
    }

    /// Returns whether bytes can be a string of JSON: UTF-8 without a NUL.
    private static func isText(_ bytes: [UInt8]) -> Bool {
        !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
    }

    /// Returns the text of bytes; those that are not UTF-8 are taken for ISO 8859-1.
    private static func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
