import WeirWire

/// A mistake in a query.
public struct FlowQueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The unexpected word; empty at the end of the query.
    public var word: String
    /// What was expected there.
    public var expected: String
    /// The word that the user probably meant, if it can be guessed.
    public var near: String?
    /// Why the word is wrong, if what was expected does not say it.
    public var reason: String?
    /// The whole query.
    public var query: String
    /// The place of the word in the query, in Unicode scalars.
    public var place: Range<Int>

    /// The error in one line.
    public var description: String {
        let word = SafeText.escaped(word)
        if word.isEmpty { return "the query ends where \(expected) was expected" }
        if let reason { return "'\(word)': \(reason)" }
        return "'\(word)' is not \(expected)\(near.map { "; did you mean '\($0)'?" } ?? "")"
    }

    /// The number of columns of the query that are shown.
    private static let shown = 76

    /// The error, and below it the query with the word marked.
    ///
    /// ```
    /// 'prt' is not a word of queries; did you mean 'port'?
    ///   tcp and prt 80
    ///           ^^^
    /// ```
    public var explanation: String {
        var scalars = Array(query.unicodeScalars)
        var (start, end) = (min(place.lowerBound, scalars.count), min(place.upperBound, scalars.count))
        if scalars.count > Self.shown {
            let first = max(0, min(start - Self.shown / 2, scalars.count - Self.shown))
            scalars = Array(scalars[first..<min(first + Self.shown, scalars.count)])
            (start, end) = (start - first, min(end - first, scalars.count))
        }
        // Each scalar keeps its column.
        let line = scalars.map { SafeText.isSafe($0.value) ? $0 : "?" }
        let text = String(String.UnicodeScalarView(line))
        let marks = String(repeating: "^", count: max(end - start, 1))
        return "\(description)\n  \(text)\n  \(String(repeating: " ", count: start))\(marks)"
    }
}
