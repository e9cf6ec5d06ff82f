/// A table in Markdown, its columns padded so that it reads well as plain text too.
struct MarkdownTable: Sendable, Equatable {
    /// The headings; the first column is aligned left and the others right.
    let headings: [String]
    /// The rows; cells that are missing are empty.
    var rows: [[String]] = []

    /// The table, one line a row, without a closing line feed.
    var text: String {
        let cells = ([headings] + rows).map { row in headings.indices.map { Self.escape($0 < row.count ? row[$0] : "") }
        }
        let widths = headings.indices.map { column in max(4, cells.map { $0[column].count }.max() ?? 0) }
        var lines = cells.map { Self.line($0, widths: widths) }
        let rule = widths.enumerated().map { column, width in
            let dashes = String(repeating: "-", count: width - 1)
            return column == 0 ? ":" + dashes : dashes + ":"
        }
        lines.insert("| " + rule.joined(separator: " | ") + " |", at: 1)
        return lines.joined(separator: "\n")
    }

    private static func line(_ cells: [String], widths: [Int]) -> String {
        let padded = cells.enumerated().map { column, cell in
            let blanks = String(repeating: " ", count: widths[column] - cell.count)
            return column == 0 ? cell + blanks : blanks + cell
        }
        return "| " + padded.joined(separator: " | ") + " |"
    }

    /// Keeps a cell from ending its row or its column.
    private static func escape(_ text: String) -> String {
        String(text.flatMap { $0 == "|" ? Array("\\|") : $0.isNewline ? [" "] : [$0] })
    }
}
