import ArgumentParser
import Testing
import WeirEngine
import WeirWire

@testable import weir

@Suite("Tables and settings of weir toxic")
struct ToxicTableTests {
    @Test("Columns are as wide as their widest cell, but for the last, and cells are escaped")
    func alignsColumns() {
        #expect(Table.text([["a", "bb", "c"], ["dddd", "e", "ffff"]]) == "a     bb  c\ndddd  e   ffff")
        #expect(Table.text([["one"], ["two", "three"]]) == "one\ntwo  three")
        #expect(Table.text([]) == "" && Table.text([[]]) == "" && Table.text([["x"]]) == "x")
        #expect(Table.text([["a\u{1b}[1m", "b"]]) == SafeText.escaped("a\u{1b}[1m") + "  b")
    }

    @Test("A toxic is a row with its attributes")
    func showsToxics() {
        let toxics: [JSONValue] = [
            [
                "name": "n", "type": "latency", "stream": "upstream", "toxicity": .float(0.5),
                "attributes": ["latency": 100, "text": "a b"],
            ], ["name": "m", "type": "noop", "stream": "downstream", "toxicity": 1, "attributes": [:]], [:],
        ]
        let rows = [
            "toxic  type     stream      toxicity  attributes",
            "n      latency  upstream    0.5       latency=100 text=a b",
            "m      noop     downstream  1         -", "                                      -",
        ]
        #expect(Table.toxics(toxics) == rows.joined(separator: "\n"))
    }

    private static func read(_ settings: [String], _ type: String) -> String {
        do throws(Failure) {
            return JSONValue.object(try ToxicSettingsText.attributes(settings, of: type)).text
        } catch {
            return "\(error.code.rawValue) \(error.message)"
        }
    }

    @Test("Settings are read by the table of toxics")
    func readsSettings() {
        #expect(Self.read([], "noop") == "{}")
        #expect(Self.read(["latency=100", "jitter=20"], "latency") == #"{"latency":100,"jitter":20}"#)
        #expect(Self.read(["find=a=b", "with="], "replace") == #"{"find":"a=b","with":""}"#)
        #expect(Self.read(["rate=0.5"], "loss") == #"{"rate":0.5}"#)
        #expect(Self.read(["latency"], "latency") == "64 'latency' is no setting: FIELD=VALUE")
        #expect(Self.read(["x=1"], "noop") == "64 'noop' has no setting 'x'; it has: none")
        #expect(Self.read(["x=1"], "latency") == "64 'latency' has no setting 'x'; it has: latency, jitter")
        #expect(Self.read(["latency=x"], "latency").hasPrefix("64 toxic 'latency': latency takes a whole number"))
        #expect(Self.read([], "lag").hasPrefix("64 there is no toxic 'lag'; the types are "))
    }

    @Test("Both flags are both directions, each once and upstream first; none is the command's own")
    func namesDirections() {
        let (up, down) = (ToxicDirection.up, ToxicDirection.down)
        #expect(
            ToxicDirection.named([], otherwise: .down) == [.down] && ToxicDirection.named([], otherwise: .up) == [.up]
        )
        #expect(ToxicDirection.named([up], otherwise: .down) == [.up])
        #expect(ToxicDirection.named([down, up, down], otherwise: .down) == [.up, .down])
        #expect(up.stream == "upstream" && down.stream == "downstream")
    }

    @Test("The table of toxics tells a toxic of one transport, and each setting with its kind and default")
    func rendersTable() {
        let blocks = ToxicTable.render().split(separator: "\n\n", omittingEmptySubsequences: false)
        #expect(blocks[0].hasPrefix("latency\n    ") && blocks.count == Toxics.all.count + 1)
        for (block, type) in zip(blocks, Toxics.all) {
            let lines = block.split(separator: "\n").map(String.init)
            #expect(lines[0] == type.name + (type.transports.count == 2 ? "" : " (\(type.transports[0]) only)"))
            #expect(lines[1] == "    \(type.summary)" && lines.count == 2 + type.fields.count)
            for (line, field) in zip(lines.dropFirst(2), type.fields) {
                #expect(
                    line.hasPrefix("    \(field.name) (\(field.kind.rawValue)") && line.hasSuffix("): \(field.help)")
                )
                #expect(line.contains(", default ") == !"\(field.default)".isEmpty)
            }
        }
        for type in Toxics.all { #expect(ToxicHelp.types.contains("  \(type.name) (")) }
    }
}
