import WeirDissect
import WeirWire

/// A mistake in a query.
public struct FlowQueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The unexpected word; empty at the end of the query.
    public var word: String
    /// What was expected there.
    public var expected: String
    /// The word that the user probably meant, if it can be guessed.
    public var near: String?

    /// The error in one line.
    public var description: String {
        if word.isEmpty { return "the query ends where \(expected) was expected" }
        return "'\(word)' is not \(expected)\(near.map { "; did you mean '\($0)'?" } ?? "")"
    }
}

extension FlowQuery {
    /// Reads a query.
    ///
    /// `not` binds tighter than `and`, and `and` tighter than `or`; `!`, `&&` and `||` mean the same.
    ///
    /// - Throws: `FlowQueryError` with the wrong word.
    public init(parsing text: String) throws(FlowQueryError) {
        var parser = FlowQueryParser(text)
        self = try parser.disjunction()
        guard let word = parser.next else { return }
        throw FlowQueryError(word: word, expected: "'and', 'or' or the end")
    }
}

/// A parser that reads a query word by word, with one function for each level of the grammar.
private struct FlowQueryParser {
    private var words: [String]
    private var depth = 0

    init(_ text: String) {
        words = Self.words(of: text).reversed()
    }

    /// The next word.
    var next: String? { words.last }

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
        guard depth < 100 else { throw FlowQueryError(word: next ?? "", expected: "a query of less than 100 levels") }
        if take("not", "!") { return .not(try negation()) }
        guard take("(") else { return try primitive() }
        let query = try disjunction()
        guard take(")") else { throw FlowQueryError(word: next ?? "", expected: "')'") }
        return query
    }

    private mutating func primitive() throws(FlowQueryError) -> FlowQuery {
        let expected = "tcp, udp, ip, ip6, host, port, close, flow, packets, bytes or duration"
        guard let word = words.popLast() else { throw FlowQueryError(word: "", expected: expected) }
        if let transport = Transport(word) { return .transport(transport) }
        if let side = Side(rawValue: word), side != .any { return try end(side) }
        if let quantity = Quantity(rawValue: word) { return try comparison(quantity) }
        switch word {
        case "ip", "ip4": return .family(.v4)
        case "ip6": return .family(.v6)
        case "host", "net", "port", "portrange":
            words.append(word)
            return try end(.any)
        case "close":
            let all = FlowClose.allCases.map(\.rawValue)
            let expected = "an end: \(all.joined(separator: ", "))"
            return .close(try argument(expected, among: all) { FlowClose(rawValue: $0) })
        case "flow":
            return .number(try argument("the number of a flow, from 1") { Int($0).flatMap { $0 > 0 ? $0 : nil } })
        case "src", "dst":
            throw FlowQueryError(word: word, expected: "a side of a flow, which are 'client' and 'server'")
        default:
            let near = Spelling.nearest(to: word, among: Self.primitives)
            throw FlowQueryError(word: word, expected: expected, near: near)
        }
    }

    private static let primitives =
        ["tcp", "udp", "ip", "ip6", "host", "port", "close", "flow", "not"]
        + Side.allCases.filter { $0 != .any }.map(\.rawValue) + Quantity.allCases.map(\.rawValue)

    private typealias Side = FlowQuery.Side
    private typealias Quantity = FlowQuery.Quantity

    private mutating func end(_ side: Side) throws(FlowQueryError) -> FlowQuery {
        if take("host", "net") {
            return try argument("an address, or one with the length of a prefix") { Self.host($0, side) }
        }
        guard take("port", "portrange") else {
            throw FlowQueryError(word: next ?? "", expected: "'host' or 'port'")
        }
        return .port(try argument("a port, or two with '-' between") { Self.ports($0) }, side)
    }

    private mutating func comparison(_ quantity: Quantity) throws(FlowQueryError) -> FlowQuery {
        let comparison = try argument("one of > >= < <= = !=") {
            FlowQuery.Comparison(rawValue: $0 == "==" ? "=" : $0)
        }
        let value = try argument(quantity == .duration ? "a time as 500ms, 10s or 2m" : "a number as 4096, 64k or 1M") {
            quantity == .duration ? Self.nanoseconds($0) : Self.count($0)
        }
        return .compare(quantity, comparison, value)
    }

    private mutating func argument<Value>(
        _ expected: String,
        among candidates: [String] = [],
        _ read: (String) -> Value?
    ) throws(FlowQueryError) -> Value {
        guard let word = words.popLast() else { throw FlowQueryError(word: "", expected: expected) }
        guard let value = read(word) else {
            let near = Spelling.nearest(to: word, among: candidates)
            throw FlowQueryError(word: word, expected: expected, near: near)
        }
        return value
    }

    private mutating func take(_ wanted: String...) -> Bool {
        guard let next, wanted.contains(next) else { return false }
        words.removeLast()
        return true
    }
}

// Words and values
extension FlowQueryParser {
    /// Splits at blanks; parentheses and operators are words of their own.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var isSign = false
        var isInWord = false
        for character in text {
            if character.isWhitespace {
                isInWord = false
                isSign = false
            } else if character == "(" || character == ")" {
                words.append(String(character))
                isInWord = false
                isSign = false
            } else if "<>=!&|".contains(character) == isSign, isInWord {
                words[words.count - 1].append(character)
            } else {
                words.append(String(character))
                isSign = "<>=!&|".contains(character)
                isInWord = true
            }
        }
        return words
    }

    private static func host(_ word: String, _ side: Side) -> FlowQuery? {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let bits = address.isV4 ? 32 : 128
        guard parts.count > 1 else { return .host(address, prefix: bits, side) }
        guard let prefix = number(parts[1]), prefix <= bits else { return nil }
        return .host(address, prefix: Int(prefix), side)
    }

    private static func ports(_ word: String) -> ClosedRange<UInt16>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first.flatMap({ number($0) }),
            let last = number(parts[parts.count - 1]),
            first <= last, last <= 65535
        else { return nil }
        return UInt16(first)...UInt16(last)
    }

    private static func count(_ word: String) -> UInt64? {
        let units: [(Character, UInt64)] = [("k", 1 << 10), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)]
        let unit = units.first { $0.0 == word.last }
        guard let value = number(unit == nil ? word[...] : word.dropLast()) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit?.1 ?? 1)
        return overflow ? nil : product
    }

    private static func nanoseconds(_ word: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
            ("h", 3_600_000_000_000),
        ]
        let unit = units.first { word.hasSuffix($0.0) } ?? ("", 1_000_000_000)
        guard let value = number(word.dropLast(unit.0.count)) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : product
    }

    /// Reads digits only: unlike `UInt64`, it accepts no sign.
    private static func number(_ word: Substring) -> UInt64? {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(word) : nil
    }
}
