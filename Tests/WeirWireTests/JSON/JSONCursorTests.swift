import Testing
import WeirWire

@Suite("Cursor over JSON")
struct JSONCursorTests {
    @Test("A value ends with its bytes, whatever follows", arguments: ["12345", "true", #"{"a":1}"#, "[1,2]"])
    func ends(text: String) throws {
        let whole = Array((text + text).utf8)
        try whole.withUnsafeBytes { memory in
            for count in 1...text.utf8.count {
                var cursor = try #require(JSONCursor(UnsafeRawBufferPointer(rebasing: memory[..<count])))
                guard let value = cursor.value() else { continue }
                #expect(value.count <= count && value.elementsEqual(whole.prefix(value.count)))
            }
        }
    }

    @Test("A value has something after it within the bytes")
    func unfinished() throws {
        let text = Array("123,".utf8)
        try text.withUnsafeBytes { memory in
            var whole = try #require(JSONCursor(memory))
            #expect(whole.value().map { String(decoding: $0, as: UTF8.self) } == "123")
            var cut = try #require(JSONCursor(UnsafeRawBufferPointer(rebasing: memory[..<3])))
            #expect(cut.value() == nil)
        }
    }
}
