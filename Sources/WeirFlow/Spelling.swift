/// Guesses which word somebody meant who has mistyped it.
public enum Spelling {
    private static let longest = 64

    /// Returns the candidate that a word is probably meant to be: one that it begins, or the nearest one by its letters.
    ///
    ///     Spelling.nearest(to: "shwo", among: ["show", "echo"])  // "show"
    ///
    /// One letter in three may be wrong, missing, too many, or in its neighbour's place.
    ///
    /// - Parameters:
    ///   - word: What was typed.
    ///   - candidates: What there is; of equally near ones the first is taken.
    /// - Returns: The candidate; nil if none is near, or the word is one of them or has more than 64 letters.
    /// - Complexity: O(n) in the candidates, each with the product of both lengths.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let typed = Array(word.lowercased().unicodeScalars)
        guard !typed.isEmpty, typed.count <= longest, !candidates.contains(word) else { return nil }
        let begun = candidates.filter { $0.hasPrefix(word) }
        if typed.count > 1, begun.count == 1 { return begun[0] }
        let most = max(1, typed.count / 3)
        let near = candidates.map { ($0, distance(typed, Array($0.lowercased().unicodeScalars), most)) }
        return near.filter { $0.1 <= most }.min { $0.1 < $1.1 }?.0
    }

    /// Counts the letters to change, to add, to remove or to swap with the next one; more than `most` is not exact.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar], _ most: Int) -> Int {
        guard abs(left.count - right.count) <= most else { return most + 1 }
        var rows = [Array(0...right.count)]
        for (index, letter) in left.enumerated() {
            var row = [index + 1]
            for (place, other) in right.enumerated() {
                var least = min(row[place], rows[index][place + 1]) + 1
                least = min(least, rows[index][place] + (letter == other ? 0 : 1))
                if index > 0, place > 0, letter == right[place - 1], left[index - 1] == other {
                    least = min(least, rows[index - 1][place - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
