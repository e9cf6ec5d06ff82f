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
    }

    private let query: String
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private static let signs: Set<Unicode.Scalar> = ["<", ">", "=", "!", "&", "|"]

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
        let isSign = Self.signs.contains(first)
        var end = start + 1
        while end < scalars.count, !Self.ends(scalars[end]), Self.signs.contains(scalars[end]) == isSign { end += 1 }
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
            return try takeText(expected)
        }
        var (end, isInSet) = (start + 1, false)
        while end < scalars.count, isInSet || scalars[end] != "/" {
            if scalars[end] == "\\" { end += 1 }
            if end < scalars.count, scalars[end] == "[" { isInSet = true }
            if end < scalars.count, scalars[end] == "]" { isInSet = false }
            end += 1
        }
        guard end < scalars.count else {
            throw error(at: word(start..<scalars.count), because: "the second slash is missing")
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

/// The values in queries.
enum QueryValue {
    /// Reads an address, or one with the length of a prefix.
    static func host(_ word: String, _ side: FlowQuery.Side) -> FlowQuery? {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let bits = address.isV4 ? 32 : 128
        guard parts.count > 1 else { return .host(address, prefix: bits, side) }
        guard let prefix = number(parts[1]), prefix <= bits else { return nil }
        return .host(address, prefix: Int(prefix), side)
    }

    /// Returns whether a word is the name of a host, and not an address: it has a letter or a `*`, and no colon or slash.
    static func isHostName(_ word: String) -> Bool {
        let isPlain = word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.*".unicodeScalars.contains($0)
        }
        return isPlain && word.unicodeScalars.contains { $0.properties.isAlphabetic || $0 == "*" }
    }

    /// Reads a port, or a range of them.
    static func ports(_ word: String) -> ClosedRange<UInt16>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first.flatMap({ number($0) }),
            let last = number(parts[parts.count - 1]),
            first <= last, last <= 65535
        else { return nil }
        return UInt16(first)...UInt16(last)
    }

    /// Reads a number, with a unit of 1024 or without.
    static func count(_ word: String) -> UInt64? {
        let units: [(Character, UInt64)] = [("k", 1 << 10), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)]
        let unit = units.first { $0.0 == word.last }
        guard let value = number(unit == nil ? word[...] : word.dropLast()) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit?.1 ?? 1)
        return overflow ? nil : product
    }

    /// Reads a time; one without a unit is in seconds.
    static func nanoseconds(_ word: String) -> UInt64? {
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
    static func number(_ word: Substring) -> UInt64? {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(word) : nil
    }
}
