import Testing

@testable import weir_bench

@Suite("Markdown table")
struct MarkdownTableTests {
    @Test("Columns are padded, the first to the left and the others to the right")
    func padded() {
        let table = MarkdownTable(headings: ["", "Gbit/s"], rows: [["direct", "28.50"], ["weir", "1"]])
        #expect(
            table.text == """
                |        | Gbit/s |
                | :----- | -----: |
                | direct |  28.50 |
                | weir   |      1 |
                """
        )
    }

    @Test("A cell cannot end its row or its column, and a missing cell is empty")
    func hostileCells() {
        let table = MarkdownTable(headings: ["a", "b"], rows: [["x|y\nz"]])
        #expect(table.text.split(separator: "\n").count == 3)
        #expect(table.text.hasSuffix("| x\\|y z |      |"))
    }
}
