import Support
import Testing
import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirWire

@testable import weir

@Suite("Bodies of HTTP out of captures", .tags(.capture))
struct HTTPReadingTests {
    private static let text = "the quick brown fox jumps over the lazy dog"

    /// The text, as gzip compressed it.
    static let compressed: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xc9, 0x48, 0x55, 0x28, 0x2c,
        0xcd, 0x4c, 0xce, 0x56, 0x48, 0x2a, 0xca, 0x2f, 0xcf, 0x53, 0x48, 0xcb, 0xaf, 0x50, 0xc8, 0x2a,
        0xcd, 0x2d, 0x28, 0x56, 0xc8, 0x2f, 0x4b, 0x2d, 0x52, 0x28, 0x01, 0x4a, 0xe7, 0x24, 0x56, 0x55,
        0x2a, 0xa4, 0xe4, 0xa7, 0x03, 0x00, 0x14, 0x51, 0x0c, 0xce, 0x2b, 0x00, 0x00, 0x00,
    ]

    static let request = Array("GET /a.txt?b HTTP/1.1\r\nHost: h\r\n\r\n".utf8)

    /// An answer whose body is compressed, in chunks of some bytes.
    static func answer(chunks size: Int) -> [UInt8] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
        var bytes = Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: compressed.count, by: size) {
            let part = compressed[start..<min(start + size, compressed.count)]
            bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [13, 10]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// Reads the exchanges of a capture.
    private static func exchanges(_ capture: [UInt8], _ query: FlowQuery? = nil) throws -> [HTTPExchange] {
        var reading = HTTPReading(query)
        var flows = CaptureFlows()
        var found: [HTTPExchange] = []
        var reader = CaptureReader()
        let file = capture.span.bytes
        while let item = try reader.next(in: file) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.extracting(packet.range)
            flows.add(packet, bytes)
            if flows.hasNewFlow { reading.begin(reader.metadata(of: packet, in: file), in: flows) }
            found += reading.add(packet, bytes, in: flows)
        }
        return found + reading.finish(in: flows)
    }

    @Test(
        "A body with gzip and chunks is whole, wherever the segments and the chunks are cut",
        arguments: [1, 7, 61, 100]
    )
    func cuts(size: Int) throws {
        let answer = Self.answer(chunks: size)
        for cut in 0..<answer.count {
            var capture = MadeCapture()
            capture.http(5000, Self.request, answer, cutAt: cut)
            let found = try Self.exchanges(capture.bytes)
            #expect(found.count == 1)
            let body = HTTPReading.inflated(found.first?.answer?.content)
            #expect(String(decoding: body.bytes, as: UTF8.self) == Self.text, "\(cut)")
            #expect(body.trouble == nil && body.undone == ["gzip"] && found.first?.answer?.content.isCut == false)
        }
    }

    @Test("Only the flows that are wanted are read")
    func query() throws {
        var capture = MadeCapture()
        for client in 5000..<5003 { capture.http(client, Self.request, Self.answer(chunks: 10)) }
        #expect(try Self.exchanges(capture.bytes).map(\.place) == [0, 1, 2])
        #expect(try Self.exchanges(capture.bytes, .number(2)).map(\.place) == [1])
        #expect(try Self.exchanges(capture.bytes, FlowQuery(parsing: "port 5002")).map(\.place) == [2])
        #expect(try Self.exchanges(capture.bytes, FlowQuery(parsing: "udp")).isEmpty)
    }
}
