import WeirWire

/// The words of a query, with their places in it.
struct QueryWords {
    /// A word: a run of characters, an operator, a parenthesis, or a text in quotation marks.
    struct Word {
        /// The word without its quotation marks.
        var text: String
        /// The place in the query, in Unicode scalars, with the marks.
        var place: Range<Int>
        /// Whether it stood in quotation marks.
        var isQuoted = false
        /// Why it cannot be used; nil if it can.
        var mistake: String?
        /// Whether it is an operator.
        var isSign: Bool { !isQuoted && text.unicodeScalars.allSatisfy { QueryWords.signs.contains($0) } }
    }

    private let query: String
    private let scalars: [Unicode.Scalar]
    private var at = 0
    fileprivate static let signs: Set<Unicode.Scalar> = ["<", ">", "=", "!", "&", "|"]
    /// The operators of two characters, also those that are written wrongly but clearly.
    private static let pairs: Set<String> = ["&&", "||", "==", "!=", ">=", "<=", "=>", "=<", "<>"]

    init(_ query: String) {
        self.query = query
        scalars = Array(query.unicodeScalars)
    }

    /// The next word; nil at the end.
    ///
    /// Parentheses and operators are words of their own.
    var next: Word? {
        guard let start = start else { return nil }
        let first = scalars[start]
        if first == "(" || first == ")" { return word(start..<(start + 1)) }
        if Self.isQuote(first) { return quoted(start) }
        guard !Self.signs.contains(first) else {
            let pair = word(start..<min(start + 2, scalars.count))
            return Self.pairs.contains(pair.text) ? pair : word(start..<(start + 1))
        }
        var end = start + 1
        while end < scalars.count, !Self.ends(scalars[end]), !Self.signs.contains(scalars[end]) { end += 1 }
        return word(start..<end)
    }

    /// Moves past a word.
    mutating func pass(_ word: Word) { at = word.place.upperBound }

    /// Takes a text: in quotation marks, or up to a blank or a parenthesis.
    mutating func takeText(_ expected: String) throws(FlowQueryError) -> Word {
        guard let start = start, scalars[start] != "(", scalars[start] != ")" else {
            throw error(at: next, expected)
        }
        var end = start + 1
        while end < scalars.count, !Self.ends(scalars[end]) { end += 1 }
        let found = Self.isQuote(scalars[start]) ? quoted(start) : word(start..<end)
        if let mistake = found.mistake { throw error(at: found, because: mistake) }
        pass(found)
        return found
    }

    /// Takes an expression between slashes, with an `i` behind it or without.
    mutating func takeRegex(_ expected: String) throws(FlowQueryError) -> Word {
        guard let start = start, scalars[start] == "/" else {
            guard let start = start, Self.isQuote(scalars[start]) else { throw error(at: next, expected) }
            let found = try takeText(expected)
            // In quotation marks an expression keeps its slashes.
            guard found.text.hasPrefix("/") else { throw error(at: found, expected) }
            return found
        }
        var (end, isInSet) = (start + 1, false)
        while end < scalars.count, isInSet || scalars[end] != "/" {
            if scalars[end] == "\\" { end += 1 }
            if end < scalars.count, scalars[end] == "[" { isInSet = true }
            if end < scalars.count, scalars[end] == "]" { isInSet = false }
            end += 1
        }
        guard end < scalars.count else {
            let reason = isInSet ? "'[' has no ']'; write \\[ for the character" : "the second slash is missing"
            throw error(at: word(start..<scalars.count), because: reason)
        }
        end += 1
        while end < scalars.count, !Self.ends(scalars[end]) { end += 1 }
        let found = word(start..<end)
        pass(found)
        return found
    }

    // MARK: - Errors

    /// Returns the error that a word, or the end if it is nil, is not what was expected.
    func error(at word: Word?, _ expected: String, among candidates: [String] = []) -> FlowQueryError {
        if let word, let mistake = word.mistake { return error(at: word, because: mistake) }
        return FlowQueryError(
            word: word.map { text(of: $0) } ?? "",
            expected: expected,
            near: word.flatMap { Spelling.nearest(to: $0.text, among: candidates) },
            query: query,
            place: word?.place ?? scalars.count..<scalars.count
        )
    }

    /// Returns the error that a word is wrong for a reason.
    func error(at word: Word, because reason: String) -> FlowQueryError {
        FlowQueryError(word: text(of: word), expected: "", reason: reason, query: query, place: word.place)
    }

    private func text(of word: Word) -> String { String(String.UnicodeScalarView(scalars[word.place])) }

    // MARK: - Characters

    /// The place of the next character that is no blank; nil at the end.
    private var start: Int? { scalars[at...].firstIndex { !$0.properties.isWhitespace } }

    private func word(_ place: Range<Int>) -> Word {
        Word(text: String(String.UnicodeScalarView(scalars[place])), place: place)
    }

    /// Reads a text in quotation marks; a backslash before a mark or a backslash takes it as it is.
    private func quoted(_ start: Int) -> Word {
        var (text, end) = (String.UnicodeScalarView(), start + 1)
        while end < scalars.count, scalars[end] != scalars[start] {
            if scalars[end] == "\\", end + 1 < scalars.count,
                Self.isQuote(scalars[end + 1]) || scalars[end + 1] == "\\"
            {
                end += 1
            }
            text.append(scalars[end])
            end += 1
        }
        let isClosed = end < scalars.count
        return Word(
            text: String(text),
            place: start..<min(end + 1, scalars.count),
            isQuoted: true,
            mistake: isClosed ? nil : "the second quotation mark is missing"
        )
    }

    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool { scalar == "\"" || scalar == "'" }

    private static func ends(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar == "(" || scalar == ")"
    }
}
