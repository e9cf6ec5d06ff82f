import WeirDissect
import WeirWire

extension FlowQuery {
    /// Reads a query.
    ///
    /// `not` binds tighter than `and`, and `and` tighter than `or`; `!`, `&&` and `||` mean the same. Words can be written in
    /// either case, and `=` or `==` may stand before an argument.
    ///
    /// - Throws: `FlowQueryError` with the wrong word.
    public init(parsing text: String) throws(FlowQueryError) {
        var parser = FlowQueryParser(text)
        self = try parser.disjunction()
        if parser.next != nil { throw parser.leftover("'and', 'or' or the end") }
    }
}

/// A parser that reads a query word by word, with one function for each level of the grammar.
private struct FlowQueryParser {
    private var words: QueryWords
    private var depth = 0
    /// The numbers of conditions, and of those among them that ask for messages or bytes.
    private var counts = (all: 0, ofMessages: 0)
    /// Whether the last argument is a text that had no quotation marks.
    private var isBareText = false
    private static let most = 500

    init(_ text: String) { words = QueryWords(text) }

    /// The next word.
    var next: String? { words.next?.text }

    /// Returns the error that the next word is not what was expected.
    func error(_ expected: String, among candidates: [String] = []) -> FlowQueryError {
        words.error(at: words.next, expected, among: candidates)
    }

    /// Returns the error that a query does not go on with the next word.
    func leftover(_ expected: String) -> FlowQueryError {
        guard let word = words.next else { return error(expected) }
        if word.text == ")", !word.isQuoted { return words.error(at: word, because: "there is no '(' before it") }
        if !word.isSign, word.isQuoted || !QueryWord.isBeginning(word.text), isBareText {
            return words.error(at: word, because: "a text with blanks stands in quotation marks")
        }
        guard !word.isQuoted, word.text == "(" || word.text == "!" || QueryWord.isBeginning(word.text) else {
            return error(expected)
        }
        return words.error(at: word, because: "'and' or 'or' is missing before it")
    }

    mutating func disjunction() throws(FlowQueryError) -> FlowQuery {
        var query = try conjunction()
        while take("or", "||", "|") { query = .or(query, try conjunction()) }
        return query
    }

    private mutating func conjunction() throws(FlowQueryError) -> FlowQuery {
        var query = try negation()
        while take("and", "&&", "&") { query = .and(query, try negation()) }
        return query
    }

    private mutating func negation() throws(FlowQueryError) -> FlowQuery {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw error("a query of less than 100 levels") }
        if take("not", "!") { return .not(try negation()) }
        guard take("(") else { return try primitive() }
        let query = try disjunction()
        guard take(")") else { throw leftover("')'") }
        return query
    }

    private mutating func primitive() throws(FlowQueryError) -> FlowQuery {
        guard let word = words.next, word.text != ")" || word.isQuoted else { throw error("a word of queries") }
        if word.mistake != nil { throw error("a word of queries") }
        isBareText = false
        let query = !word.isQuoted && word.text.hasPrefix("hex:") ? .contains(try pattern()) : try primitive(word)
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
        let name = word.isQuoted ? "" : word.text.lowercased()
        if let transport = Transport(name) { return .transport(transport) }
        if let side = Side(rawValue: name), side != .any { return try end(side) }
        if let quantity = Quantity(rawValue: name) { return try comparison(quantity) }
        switch name {
        case "ip", "ip4": return .family(.v4)
        case "ip6": return .family(.v6)
        case "host", "net": return try host(.any)
        case "port", "portrange": return try port(.any)
        case "close":
            try takeEquality("close", "finished")
            let all = FlowQuery.Ending.allCases.map(\.rawValue)
            let expected = "an end: \(all.joined(separator: ", "))"
            return .close(try argument(expected, among: all) { FlowQuery.Ending(rawValue: $0.lowercased()) })
        case "flow":
            try takeEquality("flow", "3")
            return .number(try argument("the number of a flow, from 1") { Int($0).flatMap { $0 > 0 ? $0 : nil } })
        case "process":
            try takeEquality("process", "curl")
            return .process(Wildcard(try text("the name of a program").text))
        case "proxy":
            try takeEquality("proxy", "web")
            return .proxy(Wildcard(try text("the name of a route").text))
        case "method":
            try takeEquality("method", "GET")
            return .method(Wildcard(try text("a method such as GET").text, ignoresCase: true))
        case "path":
            let isWhole = try takeEquality("path", "/api")
            return .path(Wildcard(try text("a path such as /api").text, isPrefix: !isWhole))
        case "error": return .error
        case "contains": return .contains(try pattern())
        case "matches": return .contains(try regex())
        case "src", "dst":
            throw words.error(at: word, "a side of a flow, which are 'client' and 'server'")
        default:
            if QueryWord.protocols.contains(name) { return .speaks(name) }
            if let hint = QueryHints.hint(for: word) { throw words.error(at: word, because: hint) }
            throw words.error(at: word, "a word of queries", among: QueryWord.beginnings)
        }
    }

    private typealias Side = FlowQuery.Side
    private typealias Quantity = FlowQuery.Quantity

    private mutating func end(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        if take("host", "net") { return try host(side) }
        guard take("port", "portrange") else {
            guard let word = words.next, let hint = QueryHints.hint(for: word, of: side) else {
                throw error("'host' or 'port'")
            }
            throw words.error(at: word, because: hint)
        }
        return try port(side)
    }

    private mutating func port(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        if let sign = words.next, sign.isSign, FlowQuery.Comparison(sign: sign.text)?.isOrder == true {
            throw words.error(at: sign, because: "ports are asked for one by one, or in a range: port 1024-65535")
        }
        try takeEquality("port", "443")
        if let word = words.next, word.text.contains(","), QueryHints.isListOfPorts(word.text) {
            let ports = word.text.split(separator: ",").map { "port \($0)" }.joined(separator: " or ")
            throw words.error(at: word, because: "write (\(ports))")
        }
        return .port(try argument("a port, or two with '-' between") { QueryValue.ports($0) }, side)
    }

    private mutating func host(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        try takeEquality("host", "10.0.0.1")
        let word = try text("an address or a name")
        if let hint = QueryHints.hint(forHost: word.text) { throw words.error(at: word, because: hint) }
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
        if let word = words.next, !word.isSign, word.text != "(", word.text != ")" {
            throw words.error(
                at: word,
                because: "a comparison is missing before it, as in \(QueryHints.example(quantity))"
            )
        }
        let comparison = try argument("one of > >= < <= = !=") { FlowQuery.Comparison(sign: $0) }
        if let word = words.next, let hint = QueryHints.hint(forValue: word.text, quantity, comparison) {
            throw words.error(at: word, because: hint)
        }
        let expected =
            quantity.isTime
            ? "a time such as 500ms, 0.3s or 2m"
            : quantity == .status ? "a status such as 404" : "a number such as 4096, 64k or 1.5MB"
        let value = try argument(expected) {
            quantity.isTime
                ? QueryValue.nanoseconds($0) : quantity == .status ? QueryValue.number($0[...]) : QueryValue.count($0)
        }
        return .compare(quantity, comparison, value)
    }

    /// Takes `=` or `==` before the argument of a word, which may be left out.
    ///
    /// - Parameters:
    ///   - name: The word.
    ///   - example: An argument of it.
    /// - Returns: Whether there was one.
    /// - Throws: An error if another comparison stands there, which has no meaning.
    @discardableResult
    private mutating func takeEquality(_ name: String, _ example: String) throws(FlowQueryError) -> Bool {
        guard let sign = words.next, sign.isSign else { return false }
        switch FlowQuery.Comparison(sign: sign.text) {
        case .equal:
            words.pass(sign)
            return true
        case .notEqual: throw words.error(at: sign, because: "write not \(name) \(example)")
        case nil: throw error("an argument of '\(name)', as in \(name) \(example)")
        default: throw words.error(at: sign, because: "'\(name)' has no order; write \(name) \(example)")
        }
    }

    // MARK: - Texts and patterns

    private mutating func text(_ expected: String) throws(FlowQueryError) -> QueryWords.Word {
        let word = try words.takeText(expected)
        guard !word.text.isEmpty else {
            throw words.error(at: word, because: "it is empty, where \(expected) was expected")
        }
        isBareText = !word.isQuoted
        return word
    }

    private mutating func pattern() throws(FlowQueryError) -> SearchPattern {
        let word = try words.takeText("a text in quotation marks, or hex:...")
        isBareText = !word.isQuoted
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
        guard let word = words.next, !word.isQuoted, wanted.contains(word.text.lowercased()) else { return false }
        words.pass(word)
        return true
    }
}
