import WeirWire

/// A statement in SQL without its values, as `pg_stat_statements` has it: `SELECT * FROM t WHERE id = ?`.
///
/// Texts, numbers and parameters become `?`, a list of them one, comments and needless blanks are left out, and keywords are
/// in capitals. The statement may be cut anywhere.
///
/// Source: PostgreSQL 15 documentation, section 4.1, "Lexical Structure".
struct FoldedStatement {
    private let bytes: [UInt8]
    private var at = 0
    private var result: [UInt8] = []
    /// Whether a blank is due before the next word.
    private var isBlankDue = false
    /// The maximum number of characters: statements that begin so are of one kind.
    private static let limit = 240

    /// Returns the statement in the text of a message.
    ///
    /// - Parameters:
    ///   - text: What follows the message's name: the statement, which may be escaped and cut.
    ///   - isNamed: Whether the name of a prepared statement may precede it.
    /// - Returns: The statement; nil if there is none.
    static func folded(_ text: Substring, isNamed: Bool = false) -> String? {
        var statement = FoldedStatement(bytes: Array(text.utf8))
        let isCut = text.hasSuffix("...")
        statement.fold(upTo: statement.bytes.count - (isCut ? 3 : 0))
        var words = String(decoding: statement.result, as: UTF8.self)[...]
        let known = firstKeyword(in: words)
        if let known { words = words[known...] }
        guard !words.isEmpty, known != nil || !isNamed else { return nil }
        while let last = words.last, last == ";" || last == " " { words.removeLast() }
        // Characters stay whole.
        let kept = words.unicodeScalars.prefix(limit)
        return String(kept) + (isCut || kept.endIndex < words.endIndex ? "..." : "")
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Returns where the first keyword that begins a statement stands, among the first words.
    private static func firstKeyword(in text: Substring) -> Substring.Index? {
        text.split(whereSeparator: { !$0.isLetter && $0 != "_" }).prefix(8).first { verbs.contains(String($0)) }?
            .startIndex
    }

    // MARK: - Reading

    private mutating func fold(upTo end: Int) {
        while at < end {
            let byte = bytes[at]
            if let count = blank(end) {
                isBlankDue = !result.isEmpty
                at += count
            } else if byte == UInt8(ascii: "'") {
                at = Self.pastQuotes(bytes, from: at, to: end, escapes: false)
                value()
            } else if byte == UInt8(ascii: "\"") {
                let start = at
                at = Self.pastQuotes(bytes, from: at, to: end, escapes: false)
                append(bytes[start..<at])
            } else if byte == UInt8(ascii: "$") {
                dollar(end)
            } else if Self.isDigit(byte) || byte == UInt8(ascii: ".") && at + 1 < end && Self.isDigit(bytes[at + 1]) {
                number(end)
            } else if Self.isOfWord(byte) {
                word(end)
            } else {
                append(bytes[at...at])
                at += 1
            }
        }
    }

    /// Returns the length of a blank, of one that was escaped, or of a comment at this place; nil if there is none.
    private func blank(_ end: Int) -> Int? {
        if bytes[at] == UInt8(ascii: " ") { return 1 }
        guard at + 1 < end else { return nil }
        switch (UnicodeScalar(bytes[at]), UnicodeScalar(bytes[at + 1])) {
        case ("\\", "n"), ("\\", "r"), ("\\", "t"): return 2
        case ("-", "-"):
            // A line's end is escaped.
            var place = at + 2
            while place < end, !(bytes[place] == UInt8(ascii: "\\") && bytes[place...].starts(with: "\\n".utf8)) {
                place += 1
            }
            return place - at
        case ("/", "*"):
            var place = at + 2
            while place < end, !bytes[place..<end].starts(with: "*/".utf8) { place += 1 }
            return min(place + 2, end) - at
        default: return nil
        }
    }

    /// Reads `$1`, or a text between two `$tag$`.
    private mutating func dollar(_ end: Int) {
        var place = at + 1
        while place < end, Self.isOfWord(bytes[place]) || Self.isDigit(bytes[place]) { place += 1 }
        guard place < end, bytes[place] == UInt8(ascii: "$") else {
            at = place
            return value()
        }
        let tag = bytes[at...place]
        place += 1
        while place < end, !bytes[place..<end].starts(with: tag) { place += 1 }
        at = min(place + tag.count, end)
        value()
    }

    private mutating func number(_ end: Int) {
        while at < end, Self.isDigit(bytes[at]) || Self.isOfWord(bytes[at]) || bytes[at] == UInt8(ascii: ".") {
            at += 1
        }
        value()
    }

    /// Reads a name or a keyword, or a text with a letter before it, such as `E'\n'`.
    private mutating func word(_ end: Int) {
        let start = at
        while at < end, Self.isOfWord(bytes[at]) || Self.isDigit(bytes[at]) || bytes[at] == UInt8(ascii: "$") {
            at += 1
        }
        if at < end, bytes[at] == UInt8(ascii: "'"), at - start == 1, "eEbBxXnN".utf8.contains(bytes[start]) {
            at = Self.pastQuotes(bytes, from: at, to: end, escapes: bytes[start] | 0x20 == UInt8(ascii: "e"))
            return value()
        }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        let capitals = word.uppercased()
        append(
            Self.verbs.contains(capitals) || Self.keywords.contains(capitals)
                ? Array(capitals.utf8)[...] : bytes[start..<at]
        )
    }

    /// Returns the place after a text in quotation marks, of which two stand for one.
    private static func pastQuotes(_ bytes: [UInt8], from start: Int, to end: Int, escapes: Bool) -> Int {
        let mark = bytes[start]
        var place = start + 1
        while place < end {
            if escapes, bytes[place] == UInt8(ascii: "\\") {
                place += 2
            } else if bytes[place] != mark {
                place += 1
            } else if place + 1 < end, bytes[place + 1] == mark {
                place += 2
            } else {
                return place + 1
            }
        }
        return end
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || (0x61...0x7a).contains(byte | 0x20)
    }

    // MARK: - Writing

    private mutating func append(_ text: ArraySlice<UInt8>) {
        if isBlankDue { result.append(UInt8(ascii: " ")) }
        isBlankDue = false
        result += text
        // Several rows of values are one.
        for rows in ["(?),(?)", "(?), (?)"] where result.hasSuffix(rows) { result.removeLast(rows.utf8.count - 3) }
    }

    /// Appends `?`, unless it follows another one in a list.
    private mutating func value() {
        // A sign belongs to the value, unless it stands between two.
        if result.last == UInt8(ascii: "-"), !isBlankDue {
            let before = result.dropLast().last { $0 != UInt8(ascii: " ") } ?? 0
            if "(,=<>".utf8.contains(before) { result.removeLast() }
        }
        for list in ["?,", "?, "] where result.hasSuffix(list) {
            isBlankDue = false
            return result.removeLast(list.utf8.count - 1)
        }
        append([UInt8(ascii: "?")])
    }

    // MARK: - Words

    /// The words that begin a statement.
    private static let verbs: Set<String> = [
        "ABORT", "ALTER", "ANALYZE", "BEGIN", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COMMIT", "COPY",
        "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DISCARD", "DO", "DROP", "END", "EXECUTE", "EXPLAIN", "FETCH",
        "GRANT", "IMPORT", "INSERT", "LISTEN", "LOAD", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "REASSIGN",
        "REFRESH", "REINDEX", "RELEASE", "RESET", "REVOKE", "ROLLBACK", "SAVEPOINT", "SECURITY", "SELECT", "SET",
        "SHOW", "START", "TABLE", "TRUNCATE", "UNLISTEN", "UPDATE", "VACUUM", "VALUES", "WITH",
    ]
    /// Further words that are written in capitals, so that two spellings of a statement are one kind.
    private static let keywords: Set<String> = [
        "ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CONFLICT", "CROSS", "DEFAULT", "DESC",
        "DISTINCT", "ELSE", "EXCEPT", "EXISTS", "FALSE", "FOR", "FROM", "FULL", "GROUP", "HAVING", "ILIKE", "IN",
        "INDEX", "INNER", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT", "NOTHING",
        "NULL", "NULLS", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "RETURNING", "RIGHT", "THEN",
        "TO", "TRANSACTION", "TRUE", "UNION", "USING", "WHEN", "WHERE", "WINDOW", "WORK",
    ]
}

extension Array<UInt8> {
    fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
