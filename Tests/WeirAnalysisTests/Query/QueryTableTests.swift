import Testing
import WeirAnalysis

@Suite("The table of queries")
struct QueryTableTests {
    @Test("Every row has an input, and most have both verdicts")
    func table() {
        #expect(QueryTable.rows.count > 150 && QueryTable.inputs.count > 10)
        for row in QueryTable.rows { #expect(QueryTable.inputs[row.input] != nil, "\(row)") }
        #expect(QueryTable.rows.count { $0.inCapture != nil && $0.live != nil } > 140)
    }

    @Test("In a capture a flow fits, or not", arguments: QueryTable.rows.filter { $0.inCapture != nil })
    func capture(_ row: QueryTable.Row) throws {
        let input = try #require(QueryTable.inputs[row.input])
        #expect(input.matches(try FlowQuery(parsing: row.query)) == row.inCapture)
    }

    @Test(
        "By the messages of a log without bytes a flow fits as in a capture",
        arguments: QueryTable.rows.filter { $0.inCapture != nil }
    )
    func logged(_ row: QueryTable.Row) throws {
        let query = try FlowQuery(parsing: row.query)
        guard !query.needs.contains(.bytes) else { return }
        let input = try #require(QueryTable.inputs[row.input])
        #expect(input.matches(query, byMessages: true) == row.inCapture)
    }

    @Test("Live something of it is shown, or nothing", arguments: QueryTable.rows.filter { $0.live != nil })
    func live(_ row: QueryTable.Row) throws {
        let input = try #require(QueryTable.inputs[row.input])
        #expect(try input.isShown(try FlowQuery(parsing: row.query)) == row.live)
    }

    @Test("What a capture or the relay cannot know is among the needs", arguments: QueryTable.rows)
    func refused(_ row: QueryTable.Row) throws {
        let needs = try FlowQuery(parsing: row.query).needs
        #expect((row.inCapture == nil) == needs.contains(.proxy))
        #expect((row.live == nil) == needs.contains(.packets))
    }
}
