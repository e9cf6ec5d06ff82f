import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Speaks to the control API of a running relay: one request a connection.
///
/// Source: RFC 9112.
struct AdminClient: Sendable {
    private static let patience: Int32 = 30_000
    private static let largestAnswer = 64 << 20

    private let host: HostPort
    private let authority: String
    private let token: String?

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - url: `http://HOST:PORT`, or `HOST:PORT`.
    ///   - token: the secret that the API asks for, if it does.
    /// - Throws: `Failure` where the URL cannot be read.
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

    /// Sends a request, and returns what was answered.
    ///
    /// - Throws: `Failure` where the API cannot be reached, or says that something is wrong.
    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) throws(Failure) -> JSONValue {
        let (status, answer) = try exchange(method, path, body?.bytes ?? [])
        let value = (try? JSONParser.parse(answer)) ?? .null
        guard status < 400 else {
            let reason = value["error"]?.stringValue ?? value["detail"]?.stringValue
            let words = SafeText.escaped(reason ?? String(decoding: answer, as: UTF8.self))
            throw Failure(.unavailable, "\(authority) says \(status): \(words)")
        }
        return value
    }

    private func exchange(_ method: String, _ path: String, _ body: [UInt8]) throws(Failure) -> (Int, [UInt8]) {
        do {
            let endpoints = try Resolver.resolve(host, family: nil)
            let connection = try Connector(.tcp, timeout: .seconds(10)).connect(to: endpoints)
            var head = "\(method) \(path) HTTP/1.1\r\nHost: \(authority)\r\nUser-Agent: weir/\(Weir.version)\r\n"
            head += "Connection: close\r\nContent-Length: \(body.count)\r\n"
            if !body.isEmpty { head += "Content-Type: application/json\r\n" }
            if let token { head += "Authorization: Bearer \(token)\r\n" }
            try send(Array((head + "\r\n").utf8) + body, connection.descriptor.raw)
            return try AdminAnswerReader.read(try receive(connection.descriptor.raw))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unavailable, "\(error); does a relay run with --admin?")
        }
    }

    private func send(_ bytes: [UInt8], _ raw: Int32) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 { rest = rest.dropFirst(count) } else { try wait(raw, POLLOUT, "send to \(authority)") }
        }
    }

    private func receive(_ raw: Int32) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < Self.largestAnswer {
            let count = recv(raw, &part, part.count, 0)
            if count == 0 { break }
            if count > 0 { bytes += part.prefix(count) } else { try wait(raw, POLLIN, "read from \(authority)") }
        }
        return bytes
    }

    /// Waits after a call that gave an error, unless it was a real one.
    private func wait(_ raw: Int32, _ events: Int32, _ attempt: String) throws(SystemError) {
        let error = ErrorNumber(errno)
        guard error.rawValue == EAGAIN || error.rawValue == EINTR else { throw SystemError(attempt, error) }
        var descriptor = pollfd(fd: raw, events: Int16(events), revents: 0)
        guard poll(&descriptor, 1, Self.patience) != 0 else { throw SystemError(attempt, .timedOut) }
    }
}

/// Takes an answer of HTTP/1.1 apart.
enum AdminAnswerReader {
    /// Returns the status and the body.
    ///
    /// - Throws: `Failure` where it is no answer, or not whole.
    static func read(_ bytes: [UInt8]) throws(Failure) -> (Int, [UInt8]) {
        let broken = Failure(.unavailable, "the answer is no HTTP/1.1, or not whole")
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw broken }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw broken }
        let body = Array(bytes[end.upperBound...])
        var length: Int?
        var isChunked = false
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " }.lowercased()
            switch parts[0].lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value == "chunked"
            default: break
            }
        }
        // An answer in between, as 100, is followed by the one that counts.
        if status < 200 { return try read(body) }
        if isChunked { return (status, try unchunked(body)) }
        if let length {
            guard body.count >= length else { throw broken }
            return (status, Array(body.prefix(length)))
        }
        return (status, body)
    }

    private static func unchunked(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        let broken = Failure(.unavailable, "the answer's chunks are not whole")
        var rest = bytes[...]
        var body: [UInt8] = []
        while true {
            guard let end = rest.firstRange(of: Array("\r\n".utf8)) else { throw broken }
            let digits = String(decoding: rest[..<end.lowerBound], as: UTF8.self).prefix { $0 != ";" }
            guard let size = Int(digits, radix: 16), size >= 0 else { throw broken }
            rest = rest[end.upperBound...]
            if size == 0 { return body }
            guard rest.count >= size + 2 else { throw broken }
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
    }
}
