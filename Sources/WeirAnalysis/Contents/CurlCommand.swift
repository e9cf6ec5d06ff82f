public import WeirWire

/// A request of HTTP as a command line of `curl`, for a POSIX shell.
///
/// The fields are those that were sent, but for those that `curl` makes itself: Host, Content-Length, Transfer-Encoding
/// and Expect. What `curl` would add is turned off, and what it cannot send is named in a comment.
///
/// Source: curl(1).
public enum CurlCommand {
    /// The maximum length of a body that is a word of the command, in bytes: Linux allows 128 KiB for a word.
    private static let longestWord = 100_000

    /// Appends the command, and a line feed.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - server: The server's endpoint, for a request that names no host.
    ///   - output: Receives the lines.
    public static func append(_ request: HTTPContent, server: Endpoint, to output: inout ByteBuffer) {
        guard request.isRequest else { return }
        let (method, target) = (request.method, request.target)
        if method == Array("CONNECT".utf8) {
            output.append("# CONNECT ")
            MessageText(escaping: String(decoding: target, as: UTF8.self)).append(to: &output)
            return output.append(" begins a tunnel, which curl makes by itself: -x\n")
        }
        if request.isCut { output.append("# the body was not captured whole\n") }
        appendLosses(request, to: &output)
        let body = bodyWord(request, method)
        if body == .piped {
            output.append("printf %s '")
            output.appendBase64(request.body.span.bytes)
            output.append("' | base64 -d | ")
        }
        output.append("curl ")
        let url = URL(request, target, server)
        ShellText.append(url.text, to: &output)
        for option in url.options { appendLine(option, to: &output) }
        appendMethod(method, body, to: &output)
        if request.version == Array("HTTP/1.0".utf8) { appendLine("--http1.0", to: &output) }
        if request.version.isEmpty { appendLine("--http0.9", to: &output) }
        appendFields(request, url, hasBody: body != .none, to: &output)
        appendBody(request, body, to: &output)
        output.append("\n")
    }

    // MARK: - The target

    private struct URL {
        var text: [UInt8]
        /// Whether the value of Host is the one that the URL gives.
        var isHostKnown = false
        var options: [String] = []
        /// The target if the URL cannot express it.
        var target: [UInt8]?

        init(_ request: HTTPContent, _ target: [UInt8], _ server: Endpoint) {
            let host = request.fields.first { $0.isNamed("host") }?.value ?? []
            isHostKnown = !host.isEmpty && host.allSatisfy(Self.isOfHost)
            let scheme = request.isDecrypted ? "https" : "http"
            let base = Array("\(scheme)://".utf8) + (isHostKnown ? host : Array("\(server)".utf8))
            let isAbsolute = target.first != UInt8(ascii: "/") && target.contains(UInt8(ascii: ":"))
            let isVisible = target.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
            if isAbsolute {
                // A proxy gets the whole URL, and so it is the proxy to which curl must talk.
                text = Array("\(scheme)://\(server)/".utf8)
                isHostKnown = false
                self.target = target
            } else if isVisible, target.first == UInt8(ascii: "/") {
                text = base + target
            } else {
                text = base + [UInt8(ascii: "/")]
                self.target = target
            }
            if text.contains(where: { "[]{}".utf8.contains($0) }) { options.append("--globoff") }
            if String(decoding: text, as: UTF8.self).contains("/.") { options.append("--path-as-is") }
        }

        private static func isOfHost(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "-.:[]_".utf8.contains(byte)
            }
        }
    }

    // MARK: - The parts of the command

    private enum Body {
        case none, word, piped
    }

    private static func bodyWord(_ request: HTTPContent, _ method: [UInt8]) -> Body {
        guard !request.body.isEmpty else {
            return request.value("content-length") == "0" || request.isChunked ? .word : .none
        }
        let isWord = request.body.count <= longestWord && ShellText.isSafe(request.body)
        return isWord ? .word : .piped
    }

    private static func appendLine(_ option: StaticString, to output: inout ByteBuffer) {
        output.append(" \\\n  ")
        output.append(option)
    }

    private static func appendLine(_ option: String, to output: inout ByteBuffer) {
        output.append(" \\\n  ")
        output.append(option)
    }

    private static func appendMethod(_ method: [UInt8], _ body: Body, to output: inout ByteBuffer) {
        switch (String(decoding: method, as: UTF8.self), body) {
        case ("GET", .none), ("POST", .word), ("POST", .piped): break
        case ("HEAD", .none): appendLine("--head", to: &output)
        default:
            appendLine("-X ", to: &output)
            ShellText.append(method, to: &output)
        }
    }

    private static func appendFields(_ request: HTTPContent, _ url: URL, hasBody: Bool, to output: inout ByteBuffer) {
        if let target = url.target {
            appendLine("--request-target ", to: &output)
            ShellText.append(target.filter { $0 != 0 }, to: &output)
        }
        if !request.fields.contains(where: { $0.isNamed("host") }) { appendLine("-H 'Host:'", to: &output) }
        for field in request.fields {
            if field.isNamed("host"), url.isHostKnown { continue }
            if isMade(field) || !isSendable(field) { continue }
            appendLine("-H ", to: &output)
            let value = field.value.filter { $0 != 0 }
            let separator = Array((value.isEmpty ? ";" : ": ").utf8)
            ShellText.append(field.name + separator + value, to: &output)
        }
        var added: [StaticString] = ["User-Agent", "Accept"]
        if hasBody { added.append("Content-Type") }
        for name in added where request.value(name.description.lowercased()) == nil {
            appendLine("-H '", to: &output)
            output.append(name)
            output.append(":'")
        }
        let codings = request.value("accept-encoding")?.lowercased() ?? ""
        if ["gzip", "deflate", "br"].contains(where: { codings.contains($0) }) {
            appendLine("--compressed", to: &output)
        }
    }

    /// Returns whether `curl` makes a field itself.
    private static func isMade(_ field: HTTPContent.Field) -> Bool {
        ["content-length", "transfer-encoding", "expect"].contains { field.isNamed($0) }
    }

    /// Returns whether `curl` sends a field: it takes a name with @ at its start for the name of a file.
    private static func isSendable(_ field: HTTPContent.Field) -> Bool {
        !field.name.isEmpty && field.name.allSatisfy(isOfToken)
    }

    /// Appends comments on what is left out, as no word of a command can have it.
    private static func appendLosses(_ request: HTTPContent, to output: inout ByteBuffer) {
        func append(_ text: StaticString, _ names: [String]) {
            guard !names.isEmpty else { return }
            output.append("# curl cannot send ")
            output.append(text)
            MessageText(escaping: names.joined(separator: ", ")).append(to: &output)
            output.append("\n")
        }
        let kept = request.fields.filter { !isMade($0) }
        let withNUL = kept.filter { isSendable($0) && $0.value.contains(0) }.map {
            String(decoding: $0.name, as: UTF8.self)
        }
        append("the NUL in ", (request.target.contains(0) ? ["the target"] : []) + withNUL)
        append("the field ", kept.filter { !isSendable($0) }.map { String(decoding: $0.name, as: UTF8.self) })
    }

    private static func appendBody(_ request: HTTPContent, _ body: Body, to output: inout ByteBuffer) {
        switch body {
        case .none: break
        case .piped: appendLine("--data-binary @-", to: &output)
        case .word:
            // The other option takes @ for the name of a file.
            let isFile = request.body.first == UInt8(ascii: "@")
            appendLine(isFile ? "--data-raw " : "--data-binary ", to: &output)
            ShellText.append(request.body, to: &output)
        }
    }

    /// Source: RFC 9110 section 5.6.2.
    private static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
