import Testing
import WeirWire

@testable import WeirDissect

@Suite("PostgreSQL dissector")
struct PostgreSQLDissectorTests {
    /// Makes a message: its letter, its length, and what follows.
    private static func message(_ letter: Character?, _ content: [UInt8]) -> [UInt8] {
        let length = UInt32(content.count + 4)
        return Array((letter.map(String.init) ?? "").utf8) + (0..<4).map { UInt8(length >> (24 - 8 * $0) & 255) }
            + content
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    private static let start = message(
        nil,
        [0, 3, 0, 0] + text("user") + text("me") + text("database") + text("db") + [0]
    )

    @Test("Reads a session on any port, in pieces of any size", arguments: [1, 2, 5, 1000])
    func session(size: Int) {
        var flow = DissectionDialogue()
        flow.add(Self.message(nil, [4, 210, 22, 47]), .upstream, inPiecesOf: size)
        flow.add([78], .downstream)
        flow.add(Self.start, .upstream, inPiecesOf: size)
        let ready = Self.message("Z", [73])
        flow.add(
            Self.message("R", [0, 0, 0, 10] + Self.text("SCRAM-SHA-256") + [0])
                + Self.message("R", [0, 0, 0, 0]) + Self.message("S", Self.text("TimeZone") + Self.text("UTC"))
                + Self.message("K", [0, 0, 0, 9, 1, 2, 3, 4]) + ready,
            .downstream,
            inPiecesOf: size
        )
        flow.add(
            Self.message("p", Self.text("secret")) + Self.message("Q", Self.text("SELECT 1")),
            .upstream,
            inPiecesOf: size
        )
        let column = Self.text("id") + [UInt8](repeating: 0, count: 18)
        flow.add(
            Self.message("T", [0, 2] + column + column)
                + Self.message("D", [0, 2, 0, 0, 0, 1, 49, 255, 255, 255, 255])
                + Self.message("C", Self.text("SELECT 1")) + ready,
            .downstream,
            inPiecesOf: size
        )
        flow.add(Self.message("X", []), .upstream, inPiecesOf: size)
        let said = flow.said.map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? "" }
        #expect(
            said == [
                "TLS request", "no encryption", "start-up, version 3.0, user me, database db",
                "authentication by SASL SCRAM-SHA-256 (answers 8 after 1 ms)", "authentication done",
                "parameter TimeZone UTC", "backend key, process 9", "ready, idle", "password or SASL response",
                "query SELECT 1",
                "columns id, id", "row 1, null", "done SELECT 1 (answers 49 after 1 ms)", "ready, idle", "terminate",
            ]
        )
        #expect(flow.name == "postgresql")
    }

    @Test("Reads prepared statements, errors, copies and cancels")
    func others() {
        var flow = DissectionDialogue(port: 5432)
        flow.add(
            Self.message("P", Self.text("s1") + Self.text("SELECT $1") + [0, 0])
                + Self.message("B", Self.text("p1") + Self.text("s1") + [0, 0])
                + Self.message("D", [83] + Self.text("s1")) + Self.message("C", [80] + Self.text(""))
                + Self.message("E", Self.text("p1") + [0, 0, 0, 0]) + Self.message("d", [1, 2, 3])
                + Self.message("S", []),
            .upstream
        )
        flow.add(
            Self.message(
                "E",
                [83] + Self.text("ERROR") + [67] + Self.text("42P01") + [77] + Self.text("no table") + [0]
            )
                + Self.message("1", []) + Self.message("H", [0, 0, 0]),
            .downstream
        )
        #expect(
            flow.said.map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? "" } == [
                "parse s1 SELECT $1", "bind p1 s1", "describe statement s1", "close portal", "execute p1",
                "copy data, 3 bytes", "sync", "error ERROR 42P01 no table (answers 0 after 1 ms)", "parse complete",
                "copy out",
            ]
        )
        var cancel = DissectionDialogue()
        cancel.add(Self.message(nil, [4, 210, 22, 46, 0, 0, 0, 7, 1, 2, 3, 4]), .upstream)
        #expect(cancel.said == ["up 0..<16 postgresql: cancel request for process 7"])
    }

    @Test("Says where the fields are")
    func fields() {
        var flow = DissectionDialogue()
        flow.add(Self.start + Self.message("Q", Self.text("SELECT 1")), .upstream)
        #expect(
            flow.messages.last?.fieldLines == [
                "pgsql.type 29..<30 Q", "pgsql.length 30..<34 13", "pgsql.query 34..<42 SELECT 1",
            ]
        )
        #expect(flow.messages.first?.values("pgsql.parameter_value") == ["me", "db"])
    }

    @Test("Bears contents that end early, and lengths that are wrong")
    func wrong() {
        var flow = DissectionDialogue(port: 5432)
        for letter in "RSKZTDCENtA" { flow.add(Self.message(letter, [0, 200]), .downstream) }
        flow.add(Self.message("T", [0, 9] + Self.text("a")), .downstream)
        flow.add(Self.message("D", [0, 9, 127, 255, 255, 255]), .downstream)
        #expect(flow.said.count == 13)
        flow.add([81, 255, 255, 255, 255, 1], .upstream)
        flow.finish()
        #expect(flow.said.count == 13)
    }

    @Test("Lets a long message pass")
    func long() {
        var flow = DissectionDialogue(port: 5432)
        flow.add(
            Self.message("d", [UInt8](repeating: 1, count: 1 << 20)) + Self.message("c", []),
            .upstream,
            inPiecesOf: 3000
        )
        #expect(
            flow.said == [
                "up 0..<1048581 postgresql: copy data, 1048576 bytes", "up 1048581..<1048586 postgresql: copy done",
            ]
        )
    }
}
