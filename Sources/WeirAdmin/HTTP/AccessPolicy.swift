import WeirWire

/// The rules that decide whether a request is answered at all, against other users' programs and foreign web pages.
///
/// Without a token only this machine can reach the port, but a web page could still try to, through a name of its own
/// that resolves to 127.0.0.1 (DNS rebinding): so Host must name the loopback. With a token every request needs it. A
/// page cannot send the token, but it may not do anything without one either: a request of a page of another origin is
/// refused.
struct AccessPolicy: Sendable {
    private let token: Token?

    /// Creates a policy; without a token it admits only the loopback's names.
    init(token: Token?) {
        self.token = token
    }

    /// Returns the answer to a request that is not let in; nil for one that is.
    func refusal(of request: AdminRequest) -> (status: Int, reason: String)? {
        if let token {
            guard let given = bearer(request), token.matches(given) else {
                return (401, "every call needs the header 'Authorization: Bearer' with the token")
            }
        } else {
            guard request.headers.filter({ $0.name == "host" }).count == 1, let host = request.header("host"),
                Self.isLoopback(host: host)
            else { return (403, "Host must be a loopback name or address, as localhost or 127.0.0.1") }
        }
        return Self.isForeign(request) ? (403, "a page of another origin may neither change nor read anything") : nil
    }

    /// Returns whether a page of another origin makes the request: even reading makes the relay record and keep things.
    ///
    /// Source: WHATWG Fetch, section 3.2 (Origin); W3C Fetch Metadata Request Headers, section 2.3 (Sec-Fetch-Site).
    private static func isForeign(_ request: AdminRequest) -> Bool {
        let host = request.header("host") ?? ""
        return request.headers.contains { name, value in
            switch name {
            case "origin": !isSame(origin: value, host: host)
            case "sec-fetch-site": value != "same-origin" && value != "none"
            default: false
            }
        }
    }

    private func bearer(_ request: AdminRequest) -> String? {
        let fields = request.headers.filter { $0.name == "authorization" }
        guard fields.count == 1, let value = fields.first?.value else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].trimmingBlanks
    }

    /// Returns whether a Host names the loopback: `localhost`, a name under it, 127.0.0.0/8 or `[::1]`, with any port.
    static func isLoopback(host: String) -> Bool {
        guard let name = hostName(host)?.lowercased() else { return false }
        let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
        if bare == "localhost" || bare.hasSuffix(".localhost") { return true }
        guard let address = IPAddress(bare) else { return false }
        return address.unmapped.isLoopback
    }

    /// Returns the host without its port and brackets; nil if it is not a host.
    private static func hostName(_ host: String) -> String? {
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return String(host[host.index(after: host.startIndex)..<end])
        }
        guard let colon = host.firstIndex(of: ":") else { return host }
        return isPort(host[colon...]) ? String(host[..<colon]) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Returns whether an Origin is the API's own.
    static func isSame(origin: String, host: String) -> Bool { origin.lowercased() == "http://" + host.lowercased() }
}

/// The secret that every call must present.
package struct Token: Sendable {
    private let bytes: [UInt8]

    /// Creates a token from text; nil if it is empty, or not visible ASCII.
    package init?(_ text: some StringProtocol) {
        let text = text.trimmingBlanks
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        bytes = Array(text.utf8)
    }

    /// The number of characters.
    var length: Int { bytes.count }

    /// Compares in a time that depends only on the length of the given text.
    func matches(_ given: String) -> Bool {
        var difference: UInt8 = 0
        var index = 0
        for byte in given.utf8 {
            difference |= byte ^ bytes[index]
            index += 1
            if index == bytes.count { index = 0 }
        }
        return difference == 0 && given.utf8.count == bytes.count
    }
}

extension StringProtocol {
    var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\r" || $0 == "\t" || $0 == "\r\n" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
