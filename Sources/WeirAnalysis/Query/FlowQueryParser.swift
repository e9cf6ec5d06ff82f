import WeirDissect
import WeirWire

extension FlowQuery {
    /// Reads a query.
    ///
    /// `not` binds tighter than `and`, and `and` tighter than `or`; `!`, `&&` and `||` mean the same.
    ///
    /// - Throws: `FlowQueryError` with the wrong word.
    public init(parsing text: String) throws(FlowQueryError) {
        var parser = FlowQueryParser(text)
        self = try parser.disjunction()
        if parser.next != nil { throw parser.error("'and', 'or' or the end") }
    }
}

/// A parser that reads a query word by word, with one function for each level of the grammar.
private struct FlowQueryParser {
    private var words: QueryWords
    private var depth = 0
    /// The numbers of conditions, and of those among them that ask for messages or bytes.
    private var counts = (all: 0, ofMessages: 0)
    private static let most = 500

    init(_ text: String) { words = QueryWords(text) }

    /// The next word.
    var next: String? { words.next?.text }

    /// Returns the error that the next word is not what was expected.
    func error(_ expected: String, among candidates: [String] = []) -> FlowQueryError {
        words.error(at: words.next, expected, among: candidates)
    }

    mutating func disjunction() throws(FlowQueryError) -> FlowQuery {
        var query = try conjunction()
        while take("or", "||") { query = .or(query, try conjunction()) }
        return query
    }

    private mutating func conjunction() throws(FlowQueryError) -> FlowQuery {
        var query = try negation()
        while take("and", "&&") { query = .and(query, try negation()) }
        return query
    }

    private mutating func negation() throws(FlowQueryError) -> FlowQuery {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw error("a query of less than 100 levels") }
        if take("not", "!") { return .not(try negation()) }
        guard take("(") else { return try primitive() }
        let query = try disjunction()
        guard take(")") else { throw error("')'") }
        return query
    }

    private mutating func primitive() throws(FlowQueryError) -> FlowQuery {
        guard let word = words.next, !word.isQuoted, word.text != "(", word.text != ")" else {
            throw error("a word of queries")
        }
        let query = word.text.hasPrefix("hex:") ? .contains(try pattern()) : try primitive(word)
        counts.all += 1
        if !query.needs.isDisjoint(with: [.messages, .bytes]) { counts.ofMessages += 1 }
        guard counts.all <= Self.most, counts.ofMessages <= QueryPlan.most else {
            throw words.error(
                at: word,
                because: "a query has at most \(Self.most) conditions, \(QueryPlan.most) of them on messages or bytes"
            )
        }
        return query
    }

    private mutating func primitive(_ word: QueryWords.Word) throws(FlowQueryError) -> FlowQuery {
        words.pass(word)
        if let transport = Transport(word.text) { return .transport(transport) }
        if let side = Side(rawValue: word.text), side != .any { return try end(side) }
        if let quantity = Quantity(rawValue: word.text) { return try comparison(quantity) }
        switch word.text {
        case "ip", "ip4": return .family(.v4)
        case "ip6": return .family(.v6)
        case "host", "net": return try host(.any)
        case "port", "portrange": return try port(.any)
        case "close":
            let all = FlowQuery.Ending.allCases.map(\.rawValue)
            let expected = "an end: \(all.joined(separator: ", "))"
            return .close(try argument(expected, among: all) { FlowQuery.Ending(rawValue: $0) })
        case "flow":
            return .number(try argument("the number of a flow, from 1") { Int($0).flatMap { $0 > 0 ? $0 : nil } })
        case "process": return .process(Wildcard(try text("the name of a program").text))
        case "proxy": return .proxy(Wildcard(try text("the name of a route").text))
        case "method": return .method(Wildcard(try text("a method such as GET").text, ignoresCase: true))
        case "path": return .path(Wildcard(try text("a path such as /api").text, isPrefix: true))
        case "error": return .error
        case "contains": return .contains(try pattern())
        case "matches": return .contains(try regex())
        case "src", "dst":
            throw words.error(at: word, "a side of a flow, which are 'client' and 'server'")
        default:
            if QueryWord.protocols.contains(word.text) { return .speaks(word.text) }
            throw words.error(at: word, "a word of queries", among: QueryWord.beginnings)
        }
    }

    private typealias Side = FlowQuery.Side
    private typealias Quantity = FlowQuery.Quantity

    private mutating func end(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        if take("host", "net") { return try host(side) }
        guard take("port", "portrange") else { throw error("'host' or 'port'") }
        return try port(side)
    }

    private mutating func port(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        .port(try argument("a port, or two with '-' between") { QueryValue.ports($0) }, side)
    }

    private mutating func host(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        let word = try text("an address or a name")
        if QueryValue.isHostName(word.text) {
            guard side == .any || side == .server else {
                throw words.error(
                    at: word,
                    because: "only servers have names; ask for an address, or with 'host' alone"
                )
            }
            let name = word.text.hasSuffix(".") ? String(word.text.dropLast()) : word.text
            return .name(Wildcard(name, ignoresCase: true))
        }
        guard let query = QueryValue.host(word.text, side) else {
            throw words.error(at: word, "an address, or one with the length of a prefix")
        }
        return query
    }

    private mutating func comparison(_ quantity: Quantity) throws(FlowQueryError) -> FlowQuery {
        let comparison = try argument("one of > >= < <= = !=") {
            FlowQuery.Comparison(rawValue: $0 == "==" ? "=" : $0)
        }
        let expected =
            quantity.isTime
            ? "a time as 500ms, 10s or 2m"
            : quantity == .status ? "a status such as 404" : "a number as 4096, 64k or 1M"
        let value = try argument(expected) {
            quantity.isTime
                ? QueryValue.nanoseconds($0) : quantity == .status ? QueryValue.number($0[...]) : QueryValue.count($0)
        }
        return .compare(quantity, comparison, value)
    }

    // MARK: - Texts and patterns

    private mutating func text(_ expected: String) throws(FlowQueryError) -> QueryWords.Word {
        let word = try words.takeText(expected)
        guard !word.text.isEmpty else {
            throw words.error(at: word, because: "it is empty, where \(expected) was expected")
        }
        return word
    }

    private mutating func pattern() throws(FlowQueryError) -> SearchPattern {
        let word = try words.takeText("a text in quotation marks, or hex:...")
        do throws(PatternError) {
            guard !word.isQuoted, word.text.hasPrefix("hex:") else {
                return .bytes(try SearchPattern.limited(Array(word.text.utf8)))
            }
            return .bytes(try SearchPattern.hex(word.text.dropFirst(4)))
        } catch {
            throw words.error(at: word, because: "\(error)")
        }
    }

    private mutating func regex() throws(FlowQueryError) -> SearchPattern {
        let word = try words.takeRegex("an expression between slashes, as /get|post/i")
        do throws(PatternError) {
            return .regex(try SearchPattern.regex(word.text))
        } catch {
            throw words.error(at: word, because: "\(error)")
        }
    }

    private mutating func argument<Value>(
        _ expected: String,
        among candidates: [String] = [],
        _ read: (String) -> Value?
    ) throws(FlowQueryError) -> Value {
        guard let word = words.next, let value = read(word.text) else { throw error(expected, among: candidates) }
        words.pass(word)
        return value
    }

    private mutating func take(_ wanted: String...) -> Bool {
        guard let word = words.next, !word.isQuoted, wanted.contains(word.text) else { return false }
        words.pass(word)
        return true
    }
}
