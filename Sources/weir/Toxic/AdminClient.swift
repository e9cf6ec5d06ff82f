import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// A client of a running relay's control API: one request per connection.
///
/// The server may be anything: `HTTPAnswerReader` reads the answer within limits, and it must be complete in time.
///
/// Source: RFC 9112.
struct AdminClient: Sendable {
    private static let patience = Duration.seconds(30)
    /// The maximum number of bytes that are shown of an error answer.
    private static let longestReason = 512

    private let host: HostPort
    private let authority: String
    private let token: String?

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - url: `http://HOST:PORT`, or `HOST:PORT`.
    ///   - token: the secret that the API requires, if it does.
    /// - Throws: `Failure` if the URL is not valid.
    init(url: String, token: String?) throws(Failure) {
        var text = url.hasPrefix("http://") ? String(url.dropFirst(7)) : url
        if text.hasSuffix("/") { text.removeLast() }
        guard let route = try? Route(parsing: "tcp:0=\(text)"), let target = route.target else {
            throw Failure(.usage, "'\(url)' is no URL of a control API: http://HOST:PORT, as in http://127.0.0.1:8474")
        }
        host = target
        authority = text
        self.token = token
    }

    /// Sends a request, and returns the JSON object in the answer.
    ///
    /// - Throws: `Failure` if the API cannot be reached, reports an error, or answers with anything else.
    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) throws(Failure) -> JSONValue {
        let answer = try accepted(try exchange(method, path, body?.bytes ?? []))
        do throws(JSONError) {
            let value = try JSONParser.parseWhole(answer.body)
            if value.members != nil { return value }
        } catch {
            throw strange("is no JSON: \(error)")
        }
        throw strange("is no JSON object")
    }

    /// Sends a request whose answer has no content of interest.
    ///
    /// - Throws: `Failure` if the API cannot be reached, or reports an error.
    func perform(_ method: String, _ path: String) throws(Failure) {
        _ = try accepted(try exchange(method, path, []))
    }

    /// Sends a request about an item that may be gone.
    ///
    /// - Returns: false if the API answers that the item does not exist (404).
    /// - Throws: `Failure` if the API cannot be reached, or reports another error.
    func reaches(_ method: String, _ path: String, _ body: JSONValue? = nil) throws(Failure) -> Bool {
        let answer = try exchange(method, path, body?.bytes ?? [])
        guard answer.status != 404 else { return false }
        _ = try accepted(answer)
        return true
    }

    /// Returns an answer if it reports success.
    ///
    /// - Throws: `Failure` with the reason in any other answer.
    private func accepted(_ answer: HTTPAnswer) throws(Failure) -> HTTPAnswer {
        guard !(200..<300).contains(answer.status) else { return answer }
        let value = try? JSONParser.parse(answer.body)
        let reason = value?["error"]?.stringValue ?? value?["detail"]?.stringValue
        let words = reason ?? String(decoding: answer.body.prefix(Self.longestReason), as: UTF8.self)
        let shown = String(decoding: words.utf8.prefix(Self.longestReason), as: UTF8.self)
        let advice = answer.status == 401 ? "; name the token's file with --token-file" : ""
        throw Failure(.unavailable, "\(authority) says \(answer.status): \(SafeText.escaped(shown))\(advice)")
    }

    /// Makes the error for an answer that is not from a control API.
    func strange(_ what: String) -> Failure {
        let message = "the answer of \(authority) \(what); is that the control API of a relay?"
        return Failure(.unavailable, SafeText.escaped(message))
    }

    /// Sends a request, and returns the answer, whatever its status.
    private func exchange(_ method: String, _ path: String, _ body: [UInt8]) throws(Failure) -> HTTPAnswer {
        do {
            let endpoints = try Resolver.resolve(host, family: nil)
            let connection = try Connector(.tcp, timeout: .seconds(10)).connect(to: endpoints)
            var head = "\(method) \(path) HTTP/1.1\r\nHost: \(authority)\r\nUser-Agent: weir/\(Machine.version)\r\n"
            head += "Connection: close\r\nContent-Length: \(body.count)\r\n"
            if !body.isEmpty { head += "Content-Type: application/json\r\n" }
            if let token { head += "Authorization: Bearer \(token)\r\n" }
            let deadline = SystemClock.instant().advanced(by: Self.patience)
            try send(Array((head + "\r\n").utf8) + body, connection.descriptor.raw, until: deadline)
            return try receive(connection.descriptor.raw, until: deadline)
        } catch let error as HTTPAnswerError {
            throw strange("\(error)")
        } catch {
            throw Failure(.unavailable, "\(error); does a relay run with --admin?")
        }
    }

    private func send(_ bytes: [UInt8], _ raw: Int32, until deadline: Instant) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                try wait(raw, POLLOUT, "send to \(authority)", until: deadline)
            }
        }
    }

    private func receive(_ raw: Int32, until deadline: Instant) throws -> HTTPAnswer {
        let attempt = "read from \(authority)"
        var reader = HTTPAnswerReader()
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(raw, &part, part.count, 0)
            if count == 0 { return try reader.finish() }
            if count < 0 {
                try wait(raw, POLLIN, attempt, until: deadline)
            } else if let answer = try reader.read(part[..<count]) {
                return answer
            } else if SystemClock.instant() >= deadline {
                // There are always more bytes, but the answer is never complete.
                throw SystemError(attempt, .timedOut)
            }
        }
    }

    /// Waits after a call that failed with EAGAIN or EINTR; throws any other error.
    private func wait(_ raw: Int32, _ events: Int32, _ attempt: String, until deadline: Instant) throws(SystemError) {
        let error = ErrorNumber(errno)
        guard error.rawValue == EAGAIN || error.rawValue == EINTR else { throw SystemError(attempt, error) }
        let left = SystemClock.instant().duration(to: deadline).inNanoseconds / 1_000_000
        var descriptor = pollfd(fd: raw, events: Int16(events), revents: 0)
        guard left > 0, poll(&descriptor, 1, Int32(min(left, 1 << 30))) != 0 else {
            throw SystemError(attempt, .timedOut)
        }
    }
}
