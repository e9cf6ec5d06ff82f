import Testing
import WeirWire

@testable import WeirAdmin

@Suite("Bodies of Toxiproxy's clients")
struct ProxyInputTests {
    private static func input(_ text: String) throws -> ProxyInput { try ProxyInput(Array(text.utf8)) }

    private static func refusal(_ read: () throws -> Any?) -> String {
        do { return "read \(String(describing: try read()))" } catch {
            return (error as? ToxiproxyError)?.message ?? "\(error)"
        }
    }

    @Test("A key is the last one that is spelled so, or the last one in any case")
    func findsKeys() throws {
        let both = try Self.input(#"{"NAME":"a","name":"b","name":"c","Name":"d","enabled":false}"#)
        #expect(try both.string("name") == "c" && both.bool("enabled") == false)
        #expect(try Self.input(#"{"NAME":"a","Name":"d"}"#).string("name") == "d")
        #expect(try Self.input(#"{"named":"a"}"#).string("name") == nil)
    }

    @Test("What is null or missing is nothing, for each kind of value")
    func findsNothing() throws {
        for text in ["{}", "null", #"{"v":null}"#] {
            let input = try Self.input(text)
            #expect(try input.string("v") == nil && input.bool("v") == nil && input.float("v") == nil)
            #expect(try input.object("v").isEmpty)
        }
    }

    @Test("Each kind of value is read, and others are refused in Go's words")
    func readsKinds() throws {
        let input = try Self.input(#"{"s":"x","b":true,"f":0.25,"o":{"k":1},"a":[1],"big":1e300}"#)
        #expect(try input.string("s") == "x" && input.bool("b") == true && input.float("f") == 0.25)
        #expect(try input.object("o").map(\.key) == ["k"])
        let start = "bad request body: json: cannot unmarshal"
        #expect(Self.refusal { try input.string("b") } == "\(start) bool into Go struct field .b of type string")
        #expect(Self.refusal { try input.bool("s") } == "\(start) string into Go struct field .s of type bool")
        #expect(Self.refusal { try input.float("s") } == "\(start) string into Go struct field .s of type float32")
        #expect(Self.refusal { try input.float("big") } == "\(start) number into Go struct field .big of type float32")
        #expect(Self.refusal { try input.object("a") } == "\(start) array into Go struct field .a of type struct")
    }

    @Test("A list is one of objects, or null")
    func readsLists() throws {
        func count(_ text: String) -> String { Self.refusal { try ProxyInput.list(Array(text.utf8)).count } }
        let start = "bad request body: json: cannot unmarshal"
        #expect(count("null") == "read Optional(0)" && count("[{},null]") == "read Optional(2)")
        #expect(count("{}") == "\(start) object into Go value of type []Proxy")
        #expect(count("[7]") == "\(start) number into Go value of type struct")
        #expect(Self.refusal { try Self.input("7") } == "\(start) number into Go value of type struct")
    }
}
