import WeirWire

/// A table of numbers with one column of text, which fits its terminal.
struct StatsTable {
    /// A column.
    struct Column {
        var heading: StaticString
        /// The order in which columns are left out if there is no room: the highest first; 0 for one that stays.
        var rank: Int
        /// The least number of columns of the terminal, if the cells are text, which is cut; nil for numbers.
        var least: Int?

        /// A column whose cells stand at its right edge.
        static func number(_ heading: StaticString, rank: Int) -> Column {
            Column(heading: heading, rank: rank, least: nil)
        }

        /// The column of text.
        static func text(_ heading: StaticString, least: Int, rank: Int) -> Column {
            Column(heading: heading, rank: rank, least: least)
        }
    }

    private let columns: [Column]
    private var rows: [[String]]
    /// The number of columns of the terminal between two cells.
    private static let gap = 2

    /// Creates a table that has only its headings.
    init(_ columns: [Column]) {
        self.columns = columns
        rows = [columns.map { $0.heading.description }]
    }

    /// Appends a row, with a cell for each column.
    mutating func append(_ cells: [String]) { rows.append(cells) }

    /// Returns the headings and the rows, each with a line feed.
    func lines(_ style: TerminalStyle) -> [String] {
        let widths = columns.indices.map { column in rows.map { Self.width($0[column], style) }.max() ?? 0 }
        let (shown, room) = fit(widths, style.width)
        return rows.map { row in
            var line = ByteBuffer(capacity: 128)
            for column in shown {
                if column != shown.first { line.appendBlanks(Self.gap) }
                let start = line.count
                guard columns[column].least != nil else {
                    line.appendRight(row[column], widths[column])
                    continue
                }
                line.append(row[column])
                line.spell(from: start, style)
                line.endCell(from: start, room, atLeast: min(widths[column], room ?? .max), style)
            }
            line.removeBlanks(after: 0)
            line.endLine(from: 0, style)
            return line.string
        }
    }

    /// Returns the columns that are shown, and the number of columns of the terminal for the text; nil for any.
    private func fit(_ widths: [Int], _ limit: Int?) -> (shown: [Int], room: Int?) {
        var shown = Array(columns.indices)
        guard let limit else { return (shown, nil) }
        while true {
            let text = shown.first { columns[$0].least != nil }
            let others = shown.reduce(Self.gap * (shown.count - 1)) { $0 + ($1 == text ? 0 : widths[$1]) }
            let room = limit - others
            let least = text.map { min(columns[$0].least ?? 0, widths[$0]) } ?? 0
            let last = shown.filter { columns[$0].rank > 0 }.max { columns[$0].rank < columns[$1].rank }
            guard room < least, let last else { return (shown, max(room, 1)) }
            shown.removeAll { $0 == last }
        }
    }

    private static func width(_ cell: String, _ style: TerminalStyle) -> Int {
        var text = ByteBuffer(capacity: 64)
        text.append(cell)
        text.spell(from: 0, style)
        return text.columns(from: 0)
    }
}
