import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("PostgreSQL messages that are cut, or long")
struct PostgreSQLCutMessagesTests {
    @Test("Says what there is of a stream that ends anywhere")
    func cut() {
        #expect(
            outcomes(
                of: PostgreSQLMessagesTests.start
                    + PostgreSQLMessagesTests.message("Q", PostgreSQLMessagesTests.text("ab"))
            )
                == """
                0...16 nothing
                17...24 postgresql: start-up, version 3.2, user me, 3 fields
                25 postgresql: start-up, version 3.2, user me, 3 fields | postgresql: query ab, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: PostgreSQLMessagesTests.message("Q", PostgreSQLMessagesTests.text("ab")), port: 5432)
                == """
                0...7 nothing
                8 postgresql: query ab, 3 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("A content that ends anywhere is read as far as it goes")
    func short() {
        let column = [UInt8](repeating: 0, count: 18)
        let contents: [(Character, [UInt8])] = [
            ("T", [0, 2] + PostgreSQLMessagesTests.text("a") + column + PostgreSQLMessagesTests.text("b") + column),
            ("D", [0, 2, 0, 0, 0, 2, 49, 50, 0, 0, 0, 1, 51]),
            ("E", [83] + PostgreSQLMessagesTests.text("ER") + [77] + PostgreSQLMessagesTests.text("no") + [0]),
            ("R", [0, 0, 0, 10] + PostgreSQLMessagesTests.text("A") + [0]),
            ("S", PostgreSQLMessagesTests.text("n") + PostgreSQLMessagesTests.text("v")), ("K", [0, 0, 0, 2, 0]),
        ]
        var lines: [String] = []
        for (letter, content) in contents {
            for count in content.indices {
                var flow = DissectionDialogue(port: 5432)
                flow.add(PostgreSQLMessagesTests.message(letter, Array(content[..<count])), .downstream)
                lines += flow.said.map { "\($0), \(flow.messages.first?.fields.count ?? 0)" }
            }
        }
        #expect(
            lines
                == """
                down 0..<5 postgresql: columns, 2
                down 0..<6 postgresql: columns, 2
                down 0..<7 postgresql: columns, 2
                down 0..<8 postgresql: columns, 2
                down 0..<9 postgresql: columns a, 3
                down 0..<10 postgresql: columns a, 3
                down 0..<11 postgresql: columns a, 3
                down 0..<12 postgresql: columns a, 3
                down 0..<13 postgresql: columns a, 3
                down 0..<14 postgresql: columns a, 3
                down 0..<15 postgresql: columns a, 3
                down 0..<16 postgresql: columns a, 3
                down 0..<17 postgresql: columns a, 3
                down 0..<18 postgresql: columns a, 3
                down 0..<19 postgresql: columns a, 3
                down 0..<20 postgresql: columns a, 3
                down 0..<21 postgresql: columns a, 3
                down 0..<22 postgresql: columns a, 3
                down 0..<23 postgresql: columns a, 3
                down 0..<24 postgresql: columns a, 3
                down 0..<25 postgresql: columns a, 3
                down 0..<26 postgresql: columns a, 3
                down 0..<27 postgresql: columns a, 3
                down 0..<28 postgresql: columns a, 3
                down 0..<29 postgresql: columns a, b, 4
                down 0..<30 postgresql: columns a, b, 4
                down 0..<31 postgresql: columns a, b, 4
                down 0..<32 postgresql: columns a, b, 4
                down 0..<33 postgresql: columns a, b, 4
                down 0..<34 postgresql: columns a, b, 4
                down 0..<35 postgresql: columns a, b, 4
                down 0..<36 postgresql: columns a, b, 4
                down 0..<37 postgresql: columns a, b, 4
                down 0..<38 postgresql: columns a, b, 4
                down 0..<39 postgresql: columns a, b, 4
                down 0..<40 postgresql: columns a, b, 4
                down 0..<41 postgresql: columns a, b, 4
                down 0..<42 postgresql: columns a, b, 4
                down 0..<43 postgresql: columns a, b, 4
                down 0..<44 postgresql: columns a, b, 4
                down 0..<45 postgresql: columns a, b, 4
                down 0..<46 postgresql: columns a, b, 4
                down 0..<5 postgresql: row, 2
                down 0..<6 postgresql: row, 2
                down 0..<7 postgresql: row, 2
                down 0..<8 postgresql: row, 2
                down 0..<9 postgresql: row, 2
                down 0..<10 postgresql: row, 2
                down 0..<11 postgresql: row , 3
                down 0..<12 postgresql: row 1, 3
                down 0..<13 postgresql: row 12, 3
                down 0..<14 postgresql: row 12, 3
                down 0..<15 postgresql: row 12, 3
                down 0..<16 postgresql: row 12, 3
                down 0..<17 postgresql: row 12, , 4
                down 0..<5 postgresql: error, 2
                down 0..<6 postgresql: error, 2
                down 0..<7 postgresql: error, 2
                down 0..<8 postgresql: error, 2
                down 0..<9 postgresql: error ER, 3
                down 0..<10 postgresql: error ER, 3
                down 0..<11 postgresql: error ER, 3
                down 0..<12 postgresql: error ER, 3
                down 0..<13 postgresql: error ER no, 4
                down 0..<5 postgresql: authentication, 2
                down 0..<6 postgresql: authentication, 2
                down 0..<7 postgresql: authentication, 2
                down 0..<8 postgresql: authentication, 2
                down 0..<9 postgresql: authentication by SASL, 3
                down 0..<10 postgresql: authentication by SASL, 3
                down 0..<11 postgresql: authentication by SASL A, 3
                down 0..<5 postgresql: parameter, 2
                down 0..<6 postgresql: parameter, 2
                down 0..<7 postgresql: parameter, 2
                down 0..<8 postgresql: parameter, 2
                down 0..<5 postgresql: backend key, process 0, 2
                down 0..<6 postgresql: backend key, process 0, 2
                down 0..<7 postgresql: backend key, process 0, 2
                down 0..<8 postgresql: backend key, process 0, 2
                down 0..<9 postgresql: backend key, process 2, 2
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Reads 4,096 bytes of a message, and no more", arguments: [4096, 4097])
    func known(total: Int) {
        var flow = DissectionDialogue(port: 5432)
        let content = [UInt8](repeating: 0, count: total - 8) + [97, 0, 0]
        flow.add(
            PostgreSQLMessagesTests.message(
                "D",
                [0, 1, 0, 0, UInt8((total - 11) >> 8), UInt8((total - 11) & 255)] + content.dropFirst(6)
            ),
            .downstream
        )
        #expect(flow.messages.first?.fields.last?.isCut == true)
        #expect(flow.messages.first?.range == 0..<total)
    }
}
