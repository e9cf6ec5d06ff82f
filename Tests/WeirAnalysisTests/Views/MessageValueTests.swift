import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Values of fields")
struct MessageValueTests {
    @Test("One that is longer than what is kept says so, in text and in JSON, and no other one does")
    func cut() {
        let head = "GET /" + String(repeating: "a", count: 2999) + " HTTP/1.1\r\nHost: h\r\n\r\n"
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 80)
        var text = ByteBuffer()
        var json = ByteBuffer()
        dissector.add(Array(head.utf8).span.bytes, .upstream, at: 0) { message in
            var renderer = MessagesText(hasFields: true)
            renderer.append(message, flow: 1, to: &text)
            var other = MessagesJSON(hasFields: true)
            other.append(message, flow: 1, to: &json)
        }
        let lines = text.string.split(separator: "\n")
        #expect(
            lines.filter { $0.hasSuffix(" (cut)") }.map { $0.prefix(35) } == ["    @4 3000 bytes http.request.uri:"]
        )
        #expect(json.string.contains("\"offset\":4,\"length\":3000,\"value\":\"/aaa"))
        #expect(json.string.contains("aaa\",\"cut\":true},{\"name\":"))
        #expect(json.string.components(of: "\"cut\":true") == 1)
    }
}

extension String {
    /// Counts how often a text stands in this one.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
