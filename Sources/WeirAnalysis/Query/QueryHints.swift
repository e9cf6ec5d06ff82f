import WeirWire

/// What to write in place of words that other programs have, and of values without their words.
///
/// A hint repeats only letters, digits and signs that are safe for a terminal.
enum QueryHints {
    /// Words of other programs, and of people, with those that mean the same here.
    private static let others: [String: String] = [
        "url": "path", "uri": "path", "target": "path", "verb": "method", "code": "status", "response": "status",
        "latency": "took", "time": "took", "delay": "took", "rtt": "took", "size": "bytes", "length": "bytes",
        "ipv4": "ip", "ipv6": "ip6", "addr": "host", "address": "host", "ip.addr": "host", "ipv6.addr": "host",
        "ip.src": "client host", "ip.dst": "server host", "sni": "host", "hostname": "host", "domain": "host",
        "tcp.port": "port", "udp.port": "port", "sport": "client port", "dport": "server port", "http.host": "host",
        "http.request.method": "method", "http.request.uri": "path", "http.response.code": "status",
        "http.time": "took", "http.status": "status", "http.method": "method", "http.path": "path",
        "http.url": "path", "program": "process", "command": "process", "errors": "error", "failed": "error",
        "failure": "error", "text": "contains", "grep": "contains", "body": "contains", "frame": "contains",
        "regex": "matches", "postgres": "postgresql", "pgsql": "postgresql", "https": "tls", "ssl": "tls",
        "route": "proxy", "reset": "close reset", "rst": "close reset", "refused": "close refused", "state": "close",
        "stream": "flow", "tcp.stream": "flow", "up": "bytes_up", "down": "bytes_down",
    ]
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"]

    /// Returns what to write in place of a word with which no condition begins; nil if that is not obvious.
    static func hint(for word: QueryWords.Word) -> String? {
        let text = word.text
        if word.isQuoted { return "a text is searched for with contains before it" }
        if let other = others[text.lowercased()] { return "write \(other)" }
        if methods.contains(text) { return "write method \(text)" }
        if FlowQuery.Comparison(sign: text) != nil {
            return "the name of what is compared is missing before it, as in status > 399"
        }
        if ["and", "or", "&&", "||", "&", "|"].contains(text.lowercased()) {
            return "a condition is missing before it"
        }
        if text.hasPrefix("/") { return "write path before it, or matches if it is a regular expression" }
        if let number = QueryValue.number(text[...]), number <= 65535 {
            return (100..<600).contains(number)
                ? "write status = \(number), or port \(number)" : "write port \(number), or flow \(number)"
        }
        if QueryValue.host(text, .any) != nil { return "write host before it" }
        if let endpoint = Endpoint(text) { return "write host \(endpoint.address) and port \(endpoint.port)" }
        return text.contains(".") && QueryValue.isHostName(text) ? "write host before it" : nil
    }

    /// Returns what to write after a side of a flow in place of a word; nil if that is not obvious.
    static func hint(for word: QueryWords.Word, of side: FlowQuery.Side) -> String? {
        if FlowQuery.Comparison(sign: word.text) != nil {
            return "write \(side.rawValue) host or \(side.rawValue) port before it"
        }
        if QueryValue.ports(word.text) != nil { return "write \(side.rawValue) port before it" }
        return QueryValue.host(word.text, side) == nil ? nil : "write \(side.rawValue) host before it"
    }

    /// Returns what to write in place of a host; nil if it is a name or an address, or nothing is obvious.
    static func hint(forHost text: String) -> String? {
        if let endpoint = Endpoint(text) {
            return "a host has no port; write host \(endpoint.address) and port \(endpoint.port)"
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, QueryValue.isHostName(String(parts[0])), QueryValue.ports(String(parts[1])) != nil {
            return "a host has no port; write host NAME and port \(parts[1])"
        }
        // 10.0.*.* is no name.
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        let known = numbers.prefix { QueryValue.number($0).map { $0 < 256 } ?? false }
        guard (1...3).contains(known.count), numbers.count <= 4,
            numbers.dropFirst(known.count).allSatisfy({ $0 == "*" }),
            numbers.count > known.count
        else { return nil }
        let zeros = repeatElement("0", count: 4 - known.count)
        return "write host \((known.map(String.init) + zeros).joined(separator: "."))/\(8 * known.count)"
    }

    /// Returns what to write in place of a value that is compared; nil if nothing is obvious.
    static func hint(
        forValue text: String,
        _ quantity: FlowQuery.Quantity,
        _ comparison: FlowQuery.Comparison
    ) -> String? {
        if quantity.isTime, QueryValue.isDecimal(text) {
            let number = text.utf8.count <= 20 ? text : "100"
            return "a time has a unit; write \(number)ms or \(number)s"
        }
        guard quantity == .status, text.utf8.count == 3, let first = text.first, "12345".contains(first),
            text.lowercased().hasSuffix("xx"), let hundred = first.wholeNumberValue
        else { return nil }
        return "write status >= \(hundred)00 and status < \(hundred + 1)00"
    }

    /// Returns a condition on a quantity, for an error.
    static func example(_ quantity: FlowQuery.Quantity) -> String {
        switch quantity {
        case .status: "status = 404"
        case .took: "took > 100ms"
        case .duration: "duration > 10s"
        case .packets, .packetsUp, .packetsDown: "\(quantity.rawValue) > 100"
        case .bytes, .bytesUp, .bytesDown: "\(quantity.rawValue) > 64k"
        }
    }

    /// Returns whether a word is several ports, or ranges of them, with commas between.
    static func isListOfPorts(_ text: String) -> Bool {
        let ports = text.split(separator: ",")
        return ports.count > 1 && text.utf8.count <= 60 && ports.allSatisfy { QueryValue.ports(String($0)) != nil }
    }
}

extension FlowQuery.Comparison {
    /// Reads an operator, also one that is written wrongly but clearly: `==`, `=>`, `=<` and `<>`.
    init?(sign: String) {
        let others = ["==": "=", "=>": ">=", "=<": "<=", "<>": "!="]
        self.init(rawValue: others[sign] ?? sign)
    }

    /// Whether it asks which of two values is larger.
    var isOrder: Bool { self != .equal && self != .notEqual }
}
