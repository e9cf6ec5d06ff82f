/// A guesser of the word that a user meant but mistyped.
public enum Spelling {
    private static let longest = 64

    /// Returns the candidate that the user probably meant: the one that begins with the word, or the nearest by its
    /// letters.
    ///
    ///     Spelling.nearest(to: "shwo", among: ["show", "echo"])  // "show"
    ///
    /// One letter in three may be wrong, missing, extra, or swapped with its neighbor.
    ///
    /// - Parameters:
    ///   - word: The typed word.
    ///   - candidates: The known words; of equally near ones the first is taken.
    /// - Returns: The candidate; nil if none is near, or the word is one of them or has more than 64 letters.
    /// - Complexity: O(n) in the candidates, for each the product of both lengths.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let typed = Array(word.lowercased().unicodeScalars)
        guard !typed.isEmpty, typed.count <= longest, !candidates.contains(word) else { return nil }
        let begun = candidates.filter { $0.hasPrefix(word) }
        if typed.count > 1, begun.count == 1 { return begun[0] }
        let most = max(1, typed.count / 3)
        let near = candidates.map { ($0, distance(typed, Array($0.lowercased().unicodeScalars), most)) }
        return near.filter { $0.1 <= most }.min { $0.1 < $1.1 }?.0
    }

    /// Returns the number of letters to change, add, remove or swap with the next one; not exact above `most`.
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
