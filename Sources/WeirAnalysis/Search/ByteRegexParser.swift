/// A regular expression as its parts.
indirect enum ByteRegexNode: Hashable, Sendable {
    /// One byte of a set.
    case byte(ByteSet)
    /// A condition between two bytes.
    case assertion(ByteAssertion)
    /// All of these, in order.
    case sequence([ByteRegexNode])
    /// One of these.
    case either([ByteRegexNode])
    /// The node, at least and at most so often; no limit if nil.
    case repeated(ByteRegexNode, Int, Int?)

    /// Whether no byte at all matches, assertions aside.
    var matchesNothing: Bool {
        switch self {
        case .byte: false
        case .assertion: true
        case .sequence(let nodes): nodes.allSatisfy(\.matchesNothing)
        case .either(let nodes): nodes.contains(where: \.matchesNothing)
        case .repeated(let node, let least, _): least == 0 || node.matchesNothing
        }
    }

    /// The number of steps that it takes as a program.
    var size: Int {
        switch self {
        case .byte, .assertion: 1
        case .sequence(let nodes), .either(let nodes): nodes.reduce(nodes.count) { Self.sum($0, $1.size) }
        case .repeated(let node, let least, let most):
            (node.size + 1).multipliedReportingOverflow(by: max(least, most ?? least + 1)).overflow
                ? .max : (node.size + 1) * max(least, most ?? least + 1)
        }
    }

    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

/// A condition between two bytes.
enum ByteAssertion: Hashable, Sendable {
    /// Before it is a line feed, or nothing.
    case lineStart
    /// After it is the end of a line, or nothing.
    case lineEnd
    /// One of its sides is a letter, a digit or `_`, the other is not.
    case wordEdge
    /// Both sides are, or neither is.
    case noWordEdge

    /// The same condition for somebody who reads backward.
    var mirrored: ByteAssertion {
        switch self {
        case .lineStart: .lineEnd
        case .lineEnd: .lineStart
        case .wordEdge, .noWordEdge: self
        }
    }
}

/// A mistake in a pattern.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The mistake in a few words, and what to do.
    public var description: String

    init(_ description: String) { self.description = description }
}

/// A parser of regular expressions over bytes, with one function for each level of the grammar.
struct ByteRegexParser {
    private let text: [UInt8]
    private let ignoresCase: Bool
    private var at = 0
    private var depth = 0
    private static let deepest = 100
    private static let mostRepeats = 1000

    init(_ text: String, ignoresCase: Bool) {
        self.text = Array(text.utf8)
        self.ignoresCase = ignoresCase
    }

    /// Reads the whole expression.
    mutating func parse() throws(PatternError) -> ByteRegexNode {
        let node = try alternatives()
        if at < text.count { throw PatternError("')' has no '('; write \\) for the character") }
        return node
    }

    private mutating func alternatives() throws(PatternError) -> ByteRegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw PatternError("it has more than \(Self.deepest) levels") }
        var nodes = [try sequence()]
        while take("|") { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .either(nodes)
    }

    private mutating func sequence() throws(PatternError) -> ByteRegexNode {
        var nodes: [ByteRegexNode] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            nodes.append(try repeats(of: try atom()))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func repeats(of node: ByteRegexNode) throws(PatternError) -> ByteRegexNode {
        var node = node
        while let byte = next {
            switch Unicode.Scalar(byte) {
            case "*": node = .repeated(node, 0, nil)
            case "+": node = .repeated(node, 1, nil)
            case "?": node = .repeated(node, 0, 1)
            case "{":
                guard let (least, most, end) = try bounds() else { return node }
                node = .repeated(node, least, most)
                at = end - 1
            default: return node
            }
            at += 1
            if let after = next, after == UInt8(ascii: "?") || after == UInt8(ascii: "+") {
                throw PatternError("a repetition cannot be lazy or possessive: the longest match counts")
            }
        }
        return node
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`; nil if the brace is a character.
    private func bounds() throws(PatternError) -> (least: Int, most: Int?, end: Int)? {
        guard let end = text[at...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let parts = text[(at + 1)..<end].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let numbers = parts.map { Int(String(decoding: $0, as: UTF8.self)) }
        guard let first = numbers.first, let least = first, parts.count <= 2, least >= 0 else { return nil }
        let most: Int? = parts.count == 1 ? least : numbers[1]
        if parts.count == 2, most == nil, !parts[1].isEmpty { return nil }
        guard max(least, most ?? 0) <= Self.mostRepeats, most ?? least >= least else {
            throw PatternError("a repetition has two numbers in order, up to \(Self.mostRepeats)")
        }
        return (least, most, end + 1)
    }

    private mutating func atom() throws(PatternError) -> ByteRegexNode {
        let byte = text[at]
        at += 1
        switch Unicode.Scalar(byte) {
        case "(": return try group()
        case "[": return .byte(folded(try set()))
        case ".": return .byte(.noLineFeed)
        case "^": return .assertion(.lineStart)
        case "$": return .assertion(.lineEnd)
        case "*", "+", "?": throw PatternError("'\(Unicode.Scalar(byte))' repeats nothing")
        case "\\":
            if take("b") { return .assertion(.wordEdge) }
            if take("B") { return .assertion(.noWordEdge) }
            return .byte(folded(try escape()))
        default:
            guard byte >= 0xc0 else { return .byte(folded(ByteSet([byte]))) }
            // A character that is not ASCII is repeated as a whole.
            var bytes = [ByteRegexNode.byte(ByteSet([byte]))]
            while let following = next, following & 0xc0 == 0x80 {
                bytes.append(.byte(ByteSet([following])))
                at += 1
            }
            return .sequence(bytes)
        }
    }

    private mutating func group() throws(PatternError) -> ByteRegexNode {
        if take("?"), !take(":") { throw PatternError("a group begins with ( or (?:") }
        let node = try alternatives()
        guard take(")") else { throw PatternError("'(' has no ')'; write \\( for the character") }
        return node
    }

    private mutating func set() throws(PatternError) -> ByteSet {
        let isInverted = take("^")
        var (set, isFirst) = (ByteSet(), true)
        while let byte = next, isFirst || byte != UInt8(ascii: "]") {
            isFirst = false
            let low = try setElement()
            if next == UInt8(ascii: "-"), at + 1 < text.count, text[at + 1] != UInt8(ascii: "]") {
                at += 1
                let high = try setElement()
                guard let first = low.only, let last = high.only, first <= last else {
                    throw PatternError("a range in [ ] has two characters in order")
                }
                set.formUnion(ByteSet(first...last))
            } else {
                set.formUnion(low.set)
            }
        }
        guard take("]") else { throw PatternError("'[' has no ']'; write \\[ for the character") }
        let folded = folded(set)
        return isInverted ? folded.inverted : folded
    }

    /// Reads a character of a set, or an escape; `only` is nil for an escape that means several.
    private mutating func setElement() throws(PatternError) -> (set: ByteSet, only: UInt8?) {
        guard at < text.count else { throw PatternError("'[' has no ']'; write \\[ for the character") }
        let byte = text[at]
        at += 1
        guard byte < 0x80 else {
            throw PatternError("[ ] takes ASCII characters and bytes as \\xHH; use (a|b) for others")
        }
        guard byte == UInt8(ascii: "\\") else { return (ByteSet([byte]), byte) }
        let set = try escape()
        let values = (UInt8.min...UInt8.max).filter { set.contains($0) }
        return (set, values.count == 1 ? values[0] : nil)
    }

    private mutating func escape() throws(PatternError) -> ByteSet {
        guard let byte = next else { throw PatternError("it ends with a backslash") }
        at += 1
        switch Unicode.Scalar(byte) {
        case "d": return .digits
        case "D": return ByteSet.digits.inverted
        case "w": return .word
        case "W": return ByteSet.word.inverted
        case "s": return .blanks
        case "S": return ByteSet.blanks.inverted
        case "n": return ByteSet([0x0a])
        case "r": return ByteSet([0x0d])
        case "t": return ByteSet([0x09])
        case "0": return ByteSet([0])
        case "x":
            let digits = text[at...].prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16),
                digits.first != UInt8(ascii: "+")
            else { throw PatternError("\\x takes two hex digits") }
            at += 2
            return ByteSet([value])
        case let letter where letter.properties.isAlphabetic || ByteSet.digits.contains(byte):
            throw PatternError("\\\(letter) means nothing here; there are \\d \\w \\s \\b \\n \\r \\t \\0 and \\xHH")
        default: return ByteSet([byte])
        }
    }

    private func folded(_ set: ByteSet) -> ByteSet { ignoresCase ? set.ignoringCase : set }

    private var next: UInt8? { at < text.count ? text[at] : nil }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: wanted) else { return false }
        at += 1
        return true
    }
}
