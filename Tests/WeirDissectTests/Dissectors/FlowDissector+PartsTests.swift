import Testing
import WeirWire

@testable import WeirDissect

@Suite("Parts of chunks that are looked at")
struct FlowDissectorPartsTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// What a client and its server say, with bodies of all kinds.
    private static let talk: [(Direction, [UInt8])] = {
        let body = Array(repeating: UInt8(ascii: "\n"), count: 5000)
        let chunk = bytes("1388\r\n") + body + bytes("\r\n")
        let frame: [UInt8] = [0x82, 126, 0x13, 0x88] + body
        return [
            (.upstream, bytes("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n") + body),
            (.upstream, bytes("HEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n")),
            (.downstream, bytes("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n") + body),
            (.downstream, bytes("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")),
            (.downstream, bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + chunk + chunk),
            (.downstream, bytes("0\r\nX: y\r\n\r\n")),
            (.upstream, bytes("GET /d HTTP/1.1\r\nUpgrade: websocket\r\n\r\n") + frame + frame),
            (.downstream, bytes("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n") + frame + frame + frame),
            (.upstream, frame),
        ]
    }()

    @Test("Say what the whole chunk says, in chunks of any size", arguments: [1, 2, 7, 60, 1000, 4000, 100_000])
    func sameMessages(size: Int) {
        var pair = PartsPair()
        for (direction, bytes) in Self.talk {
            for start in stride(from: 0, to: bytes.count, by: size) {
                pair.add(bytes.span.extracting(start..<min(start + size, bytes.count)).bytes, direction)
            }
        }
        pair.finish()
        #expect(pair.said.whole == pair.said.inParts)
        #expect(pair.said.whole.count >= 13)
    }

    @Test("Are the heads, and not the bodies")
    func heads() {
        var pair = PartsPair()
        let head = Self.bytes("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n")
        let message = head + Array(repeating: 0, count: 65_536)
        let stream = Array(repeating: message, count: 32).flatMap { $0 }
        for start in stride(from: 0, to: stream.count, by: 100_000) {
            pair.add(stream.span.extracting(start..<min(start + 100_000, stream.count)).bytes, .upstream)
        }
        #expect(pair.said.inParts.count == 32)
        #expect(pair.said.whole == pair.said.inParts)
        // The first chunk shows what protocol it is, and is kept whole.
        #expect(pair.kept <= 100_000 + 32 * head.count)
        #expect(pair.effort <= 34 * head.count)
    }

    @Test("Are all of a chunk that is no message, and that is an effort")
    func bytesThatAreNone() {
        var pair = PartsPair()
        pair.add([UInt8](repeating: 0xEE, count: 1000).span.bytes, .upstream)
        #expect(pair.kept == 1000 && pair.effort == 1000)
    }

    @Test("What was passed over and is looked at after all is missing")
    func missing() {
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 80)
        let head = Self.bytes("GET / HTTP/1.1\r\n\r\n")
        var said: [String] = []
        dissector.add(head.span.bytes, parts: [100..<118], of: 118, .upstream, at: 1) { said.append("\($0.range)") }
        dissector.add(head.span.bytes, parts: [0..<18], of: 50, .upstream, at: 1) { said.append("\($0.range)") }
        dissector.add(head.span.bytes, parts: [0..<18], of: 18, .upstream, at: 1) { said.append("\($0.range)") }
        #expect(said == ["100..<118", "118..<136", "168..<186"])
    }
}
