import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Colours of followed streams")
struct FollowColorsTests {
    private func piece(_ offset: Int, _ count: Int, _ content: StreamPiece.Content = .bytes) -> StreamPiece {
        StreamPiece(flow: 1, direction: .upstream, offset: offset, count: count, time: 0, content: content)
    }

    private func shown(_ text: inout FollowText, _ piece: StreamPiece, _ bytes: [UInt8]) -> String {
        var output = ByteBuffer()
        text.read(piece, bytes.span.bytes)
        text.append(piece, bytes.span.bytes, to: &output)
        return output.string
    }

    @Test("Coloured are the fields of messages, also behind a gap, where dumps are shown in colour alone")
    func colors() {
        let server = Endpoint(address: .loopbackV4, port: 6379)
        let ping = Array("*1\r\n$4\r\nPING\r\n".utf8)
        var text = FollowText(.hex, color: true)
        text.dissect(.tcp, client: Endpoint(address: .loopbackV4, port: 50_000), server: server)
        let first = shown(&text, piece(0, 14), ping)
        #expect(first.contains("\u{1B}[35m50 49 4e 47\u{1B}[0m"))
        #expect(!shown(&text, piece(14, 9, .gap), []).contains("\u{1B}[35m50"))
        #expect(shown(&text, piece(23, 14), ping).contains("\u{1B}[35m50 49 4e 47\u{1B}[0m"))
        for (form, color) in [(FollowForm.hex, false), (.text, true)] {
            var plain = FollowText(form, color: color)
            plain.dissect(.tcp, client: Endpoint(address: .loopbackV4, port: 50_000), server: server)
            #expect(!shown(&plain, piece(0, 14), ping).contains("\u{1B}[35m50"))
        }
    }
}
