/// A regular expression over bytes.
///
/// There are characters, `.` (any byte but a line feed), `[a-z]`, `[^...]`, `(...)`, `|`, `*`, `+`, `?`, `{2,5}`, `^` and `$`
/// (the beginning and the end of a line), `\b`, `\d`, `\w`, `\s`, `\n`, `\r`, `\t`, `\0` and `\xHH`. A character that is not
/// ASCII stands for its bytes in UTF-8. Of several matches at a place the longest counts.
///
/// It is matched in a time that is linear in the bytes, whatever they are, and needs no copy of them.
public struct ByteRegex: Hashable, Sendable, CustomStringConvertible {
    /// The text between the slashes.
    public let text: String
    /// Whether ASCII letters match in either case.
    public let ignoresCase: Bool
    let forward: ByteProgram
    let backward: ByteProgram

    /// The maximum number of steps of a program.
    private static let largest = 5000

    /// Reads an expression.
    ///
    /// - Parameters:
    ///   - text: The text between the slashes.
    ///   - ignoresCase: Whether ASCII letters match in either case.
    /// - Throws: `PatternError` if it is wrong, too large, or matches without any byte.
    public init(_ text: String, ignoresCase: Bool = false) throws(PatternError) {
        var parser = ByteRegexParser(text, ignoresCase: ignoresCase)
        let node = try parser.parse()
        guard !node.matchesNothing else { throw PatternError("it matches where nothing is") }
        guard node.size <= Self.largest else { throw PatternError("it is too large: its repetitions multiply") }
        self.text = text
        self.ignoresCase = ignoresCase
        forward = ByteProgram(node, isBackward: false)
        backward = ByteProgram(node, isBackward: true)
    }

    /// The expression as it is written.
    public var description: String { "/\(text)/\(ignoresCase ? "i" : "")" }

    /// Returns whether two expressions have the same text.
    public static func == (left: ByteRegex, right: ByteRegex) -> Bool {
        left.text == right.text && left.ignoresCase == right.ignoresCase
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A regular expression as the steps of a nondeterministic automaton.
struct ByteProgram: Sendable {
    enum Step: Sendable {
        /// Takes a byte of the set, and goes on.
        case byte(ByteSet, next: Int)
        /// Goes on if the condition holds.
        case assertion(ByteAssertion, next: Int)
        /// Goes on in both places.
        case either(Int, Int)
        /// A match ends here.
        case match
    }

    private(set) var steps: [Step] = [.match]
    private(set) var start = 0
    let isBackward: Bool

    /// Makes a program; a backward one reads the bytes from the last to the first.
    init(_ node: ByteRegexNode, isBackward: Bool) {
        self.isBackward = isBackward
        start = add(node, before: 0, isBackward)
    }

    /// Adds the steps of a node, which go on at another step, and returns the first of them.
    private mutating func add(_ node: ByteRegexNode, before next: Int, _ isBackward: Bool) -> Int {
        switch node {
        case .byte(let set): return add(.byte(set, next: next))
        case .assertion(let assertion):
            return add(.assertion(isBackward ? assertion.mirrored : assertion, next: next))
        case .sequence(let nodes):
            var next = next
            for node in isBackward ? nodes : nodes.reversed() { next = add(node, before: next, isBackward) }
            return next
        case .either(let nodes):
            var first = add(nodes[nodes.count - 1], before: next, isBackward)
            for node in nodes.dropLast().reversed() {
                let other = add(node, before: next, isBackward)
                first = add(.either(other, first))
            }
            return first
        case .repeated(let node, let least, let most):
            var next = next
            if let most {
                let end = next
                for _ in least..<most {
                    let first = add(node, before: next, isBackward)
                    next = add(.either(first, end))
                }
            } else {
                let loop = add(.either(next, next))
                steps[loop] = .either(add(node, before: loop, isBackward), next)
                next = loop
            }
            for _ in 0..<least { next = add(node, before: next, isBackward) }
            return next
        }
    }

    private mutating func add(_ step: Step) -> Int {
        steps.append(step)
        return steps.count - 1
    }
}
