#if Scenarios
import Testing

@testable import weir

@Suite("A YAML document")
struct YAMLDocumentTests {
    private static func read(_ text: String) throws -> YAMLDocument.Node { try #require(try YAMLDocument.read(text)) }

    @Test(
        "A plain scalar is a whole number, a number or a text, a quoted one a text alone",
        arguments: [
            ("12", "12", 12, 12), ("-3", "-3", -3, -3), ("+3", "+3", 3, 3), ("0x1F", "0x1F", 31, 31),
            ("0o17", "0o17", 15, 15), ("1.5", "1.5", nil, 1.5), ("1e3", "1e3", nil, 1000), ("-.5", "-.5", nil, -0.5),
            ("x", "x", nil, nil), ("0x", "0x", nil, nil), ("0b1", "0b1", nil, nil), ("nan", "nan", nil, nil),
            ("'12'", "12", nil, nil), ("\"1.5\"", "1.5", nil, nil), ("10s", "10s", nil, nil), ("~", "~", nil, nil),
            ("é", "é", nil, nil),
        ] as [(String, String, Int?, Double?)]
    )
    func scalars(text: String, string: String, int: Int?, float: Double?) throws {
        let node = try Self.read(text)
        #expect(node.string == string && node.int == int && node.float == float && node.line == 1)
        #expect(node.sequence == nil && node.mapping == nil)
    }

    @Test("Lists and mappings have their items in order, with their lines, and a key may come twice")
    func collections() throws {
        let list = try Self.read("# a comment\n- a\n-\n  - b\n  - c\n- [d, {e: f}]\n")
        let items = try #require(list.sequence)
        #expect(items.count == 3 && list.line == 2 && list.string == nil && list.int == nil && list.mapping == nil)
        #expect(items.map(\.line) == [2, 4, 6] && items[0].string == "a")
        #expect(items[1].sequence?.map(\.string) == ["b", "c"])
        #expect(items[2].sequence?[1].mapping?.map { $0.value.string } == ["f"])
        let mapping = try #require(try Self.read("b: 1\na: 2\nb: 3").mapping)
        #expect(mapping.map { $0.key.string } == ["b", "a", "b"] && mapping.map { $0.value.int } == [1, 2, 3])
        #expect(mapping.map { $0.key.line } == [1, 2, 3])
        #expect(try Self.read("[]").sequence?.isEmpty == true && Self.read("{}").mapping?.isEmpty == true)
        #expect(try Self.read("{}").float == nil && Self.read("[1]").float == nil && Self.read("{}").sequence == nil)
    }

    @Test("An alias is the node to which it refers")
    func aliases() throws {
        let mapping = try #require(try Self.read("a: &x [1, 2]\nb: *x").mapping)
        #expect(mapping[1].value.sequence?.map(\.int) == [1, 2] && mapping[1].value.line == 1)
    }

    private static func refusal(_ text: String) -> String {
        do throws(YAMLDocument.Wrong) {
            return try YAMLDocument.read(text) == nil ? "nothing" : "a document"
        } catch {
            return error.description
        }
    }

    @Test("A text without a document is none, one with two or with a mistake is refused with its line")
    func refuses() {
        #expect(Self.refusal("") == "nothing" && Self.refusal("# only\n") == "nothing")
        #expect(Self.refusal("a: 1\n...\n") == "a document")
        #expect(Self.refusal("a: 1\n---\nb: 2\n") == "line 3: there is a second document; a scenario is one")
        #expect(
            Self.refusal("a: 1\nb: [\n").hasPrefix("line 3: ") && Self.refusal("a: [1\nb: 2\n").hasPrefix("line 2: ")
        )
        #expect(Self.refusal("a\u{0}b").hasPrefix("line 1: "))
    }
}
#endif
