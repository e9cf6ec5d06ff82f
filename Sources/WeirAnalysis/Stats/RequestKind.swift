package import WeirWire

/// A kind of request, for statistics: what a message asks for, without what differs from one to the next.
///
/// It is made of the message's summary, so that a log without bytes gives the same kinds. What looks like the number of a
/// thing is folded: `/items/1` and `/items/2` are both `/items/{n}`, and statements differ by more than their values.
package struct RequestKind: Hashable, Sendable {
    /// The name of the protocol.
    package var name: String
    /// What is asked for: `GET /items/{n}`, `SELECT * FROM t WHERE id = ?`, `A`.
    package var request: String

    /// The kind that stands for those for which there is no room.
    package static let others = RequestKind(name: "", request: "(others)")

    package init(name: String, request: String) {
        self.name = name
        self.request = request
    }

    /// Returns the kind of a message; nil if it asks for nothing.
    package init?(_ message: Message) {
        let name = message.name.description
        let text = message.summary.string
        let words = text.split(separator: " ", maxSplits: 2)
        guard let first = words.first else { return nil }
        switch name {
        case "http":
            // The summary of an answer begins with its status.
            guard !first.allSatisfy(\.isNumber), words.count > 1 else { return nil }
            self.init(name: name, request: "\(first) \(FoldedPath.folded(Self.path(words[1])))")
        case "dns":
            guard first == "query", words.count > 1 else { return nil }
            self.init(name: name, request: String(words[1]))
        case "redis":
            guard message.direction == .upstream else { return nil }
            self.init(name: name, request: first.prefix(32).uppercased())
        case "postgresql":
            guard message.isRequest, let request = Self.statement(text) else { return nil }
            self.init(name: name, request: request)
        case "echo":
            guard first == "request" else { return nil }
            self.init(name: name, request: "request")
        default:
            guard message.direction == .upstream else { return nil }
            self.init(name: name, request: Self.beginning(text))
        }
    }

    /// Returns the path of a request's target: without the query, and in one to a proxy without scheme and host.
    private static func path(_ target: Substring) -> Substring {
        var path = target.prefix { $0 != "?" && $0 != "#" }
        if let scheme = path.firstIndex(of: ":"), path[scheme...].hasPrefix("://") {
            path = path[scheme...].dropFirst(3).drop { $0 != "/" }
        }
        return path.isEmpty ? "/" : path
    }

    /// Returns a statement in SQL without its values, or the word of a message that runs one which was prepared; nil for
    /// others.
    private static func statement(_ text: String) -> String? {
        let words = text.split(whereSeparator: { !$0.isLetter && $0 != "_" })
        switch words.first {
        case "query": return FoldedStatement.folded(text.dropFirst(5)) ?? "query"
        case "parse": return FoldedStatement.folded(text.dropFirst(5), isNamed: true) ?? "parse"
        case "execute": return words.prefix(2).joined(separator: " ")
        case "function": return "function call"
        case "start": return "start-up"
        default: return nil
        }
    }

    /// Returns the words before the first number, colon or comma.
    private static func beginning(_ text: String) -> String {
        var end = text.prefix { !$0.isNumber && $0 != "," && $0 != ":" }.prefix(40)
        while end.last == " " { end = end.dropLast() }
        return end.isEmpty ? "message" : String(end)
    }
}
