import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Flow dissector: a client and a server that speak different protocols")
struct FlowDissectorApartTests {
    private static let hello = bytes(
        """
        1603010059010000550303525252525252525252525252525252525252525252525252525252525252525200000213010100002a00
        000010000e00000b682e6578616d706c652e78002b00030203040010000b000908687474702f312e31
        """
    )
    private static let badRequest = Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8)
    private static let alert = bytes("15030100020246")

    @Test(
        "Each direction is recognised for itself",
        .needsCases,
        arguments: [
            ("tls-to-http.pcap", "down 0..<88 http 400 Bad Request text/plain"),
            ("http-to-tls.pcap", "down 0..<7 tls fatal alert: protocol version"),
            ("ssh-to-http.pcap", "down 0..<47 http 400 Bad Request"),
        ]
    )
    func cases(name: String, answer: String) throws {
        let said = try CaseMessages(name).said
        #expect(said.count == 2)
        #expect(said.last == answer)
    }

    @Test("It is so for chunks of any size, and on any port", arguments: [1, 2, 3, 5, 100])
    func pieces(size: Int) {
        var flow = DissectionDialogue()
        flow.add(Self.hello, .upstream, inPiecesOf: size)
        flow.add(Self.badRequest, .downstream, inPiecesOf: size)
        #expect(flow.take().last == "down 0..<47 http: 400 Bad Request")
        #expect(flow.name == "tls")
        flow = DissectionDialogue()
        flow.up("GET / HTTP/1.1\r\n\r\n")
        flow.add(Self.alert, .downstream, inPiecesOf: size)
        #expect(flow.take() == ["up 0..<18 http: GET /", "down 0..<7 tls: fatal alert: protocol version"])
        flow = DissectionDialogue()
        flow.add(Array("SSH-2.0-x\r\n".utf8), .upstream, inPiecesOf: size)
        flow.add(Self.badRequest, .downstream, inPiecesOf: size)
        #expect(flow.take() == ["up 0..<11 ssh: SSH-2.0-x", "down 0..<47 http: 400 Bad Request"])
    }

    @Test("A server that speaks first is read, and so is the client that takes it for another one")
    func serverFirst() {
        var flow = DissectionDialogue()
        flow.down("SSH-2.0-x\r\n")
        flow.up("GET / HTTP/1.1\r\n\r\n")
        #expect(flow.take() == ["down 0..<11 ssh: SSH-2.0-x", "up 0..<18 http: GET /"])
        flow = DissectionDialogue(port: 6379)
        flow.add(Self.hello, .upstream)
        flow.down("-ERR unknown command\r\n")
        #expect(flow.take().last == "down 0..<22 redis: error ERR unknown command")
    }

    @Test("A greeting before an SSH banner stays one")
    func greeting() {
        var flow = DissectionDialogue(port: 22)
        flow.up("SSH-2.0-x\r\n")
        flow.down("Hello\r\nSSH-2.0-y\r\n")
        #expect(
            flow.take() == [
                "up 0..<11 ssh: SSH-2.0-x", "down 0..<7 ssh: line before the banner: Hello",
                "down 7..<18 ssh: SSH-2.0-y",
            ]
        )
    }

    @Test("A dissector that was wrong about one direction leaves the other one to its own")
    func wrong() {
        var flow = DissectionDialogue(port: 6379)
        flow.up("PING and then")
        flow.add(Self.badRequest, .downstream)
        #expect(flow.take() == ["down 0..<47 http: 400 Bad Request"])
        flow.add([0xff, 0xff, 0x0a], .upstream)
        flow.add(Self.badRequest, .downstream)
        flow.finish()
        #expect(flow.take().contains("down 47..<94 http: 400 Bad Request"))
    }
}
