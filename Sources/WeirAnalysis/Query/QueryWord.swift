import WeirDissect

/// A word of queries, for help texts and for guesses at mistyped ones.
public struct QueryWord: Sendable {
    /// The word.
    public var name: String
    /// What follows it; empty if nothing does.
    public var argument: String
    /// What it means.
    public var help: String

    private init(_ name: String, _ argument: String, _ help: String) {
        self.name = name
        self.argument = argument
        self.help = help
    }

    private init(_ name: String, _ help: String) { self.init(name, "", help) }

    /// The words in the order of the help; `FlowQueryParser` reads them.
    public static let all: [QueryWord] = [
        QueryWord("tcp", "the flow is a TCP connection"),
        QueryWord("udp", "the flow is a UDP session"),
        QueryWord("ip", "it runs over IPv4"),
        QueryWord("ip6", "it runs over IPv6"),
        QueryWord("host", "ADDRESS[/BITS]", "one of its addresses is this, or begins with these bits"),
        QueryWord("host", "NAME", "an HTTP request names this host, or a TLS client does; * is any text"),
        QueryWord("port", "N[-M]", "one of its ports is this, or in this range"),
        QueryWord("client", "host|port ...", "the client alone; so are server, listener and egress"),
        QueryWord("flow", "N", "its number is this"),
        QueryWord("process", "NAME", "the client's program has this name; * is any text"),
        QueryWord("proxy", "NAME", "the route has this name, as in the API; * is any text"),
        QueryWord("method", "NAME", "the request's method, in either case"),
        QueryWord(
            "path",
            "TEXT",
            "the request's path begins so; after =, and with *, the whole of it with its query must fit"
        ),
        QueryWord("status", "> 399", "the answer's status; also >= < <= = and !="),
        QueryWord("took", "> 0.3s", "the time from the request to its answer's first byte; ns, us, ms, s, m and h"),
        QueryWord("error", "what went wrong: refused, reset, or an error in a message"),
        QueryWord("contains", "TEXT|hex:...", "these bytes were sent"),
        QueryWord("matches", "/regex/", "bytes that fit were sent; /regex/i for either case of letters"),
        QueryWord("close", "STATE", "how the flow ended; 'reset' by either side"),
        QueryWord(
            "bytes",
            "> 1M",
            "the flow's payload in bytes; also bytes_up, bytes_down, packets, packets_up, packets_down"
        ),
        QueryWord("duration", "> 10s", "the time from the flow's beginning to its end"),
    ]

    /// The names of protocols, which are words as well: those that dissectors read.
    public static let protocols: [String] = Dissectors.descriptions.map { "\($0.name)" }

    /// Every word with which a condition can begin.
    static let beginnings: [String] =
        Array(Set(all.map(\.name))).sorted() + ["not", "net", "portrange"]
        + FlowQuery.Side.allCases.filter { $0 != .any && $0 != .client }.map(\.rawValue)
        + FlowQuery.Quantity.allCases.map(\.rawValue) + protocols

    /// Returns whether a condition can begin with a word.
    static func isBeginning(_ word: String) -> Bool {
        let word = word.lowercased()
        return beginnings.contains(word) || word.hasPrefix("hex:")
    }

    /// The help on queries, in lines of at most 100 columns.
    public static let help: String = {
        let width = all.reduce(0) { max($0, $1.name.utf8.count + $1.argument.utf8.count + 1) }
        var text = ""
        for word in all {
            let head = word.argument.isEmpty ? word.name : "\(word.name) \(word.argument)"
            text += "  \(head)\(String(repeating: " ", count: width - head.utf8.count))  \(word.help)\n"
        }
        return text + "  \(protocols.joined(separator: ", ")): a message is of this protocol"
    }()
}
