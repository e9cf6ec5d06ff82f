import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Flow dissector")
struct FlowDissectorTests {
    private static let request = Array("GET / HTTP/1.1\r\n\r\n".utf8)

    @Test("Finds a protocol that begins late, and gives up bytes that are none")
    func detection() {
        var flow = DissectionDialogue()
        for number in 0..<10 { flow.add([0xff, UInt8(number)], .upstream) }
        flow.add(Self.request, .upstream)
        #expect(flow.take() == ["up 20..<38 http: GET /"])
        var other = DissectionDialogue()
        for _ in 0..<FlowDissector.tryLimit {
            other.add([0xff], .upstream)
            other.add([0xff], .downstream)
        }
        #expect(other.hasGivenUp)
        other.add(Self.request, .upstream)
        #expect(other.take() == [])
    }

    @Test(
        "No dissector asks for more bytes than may be buffered to find the protocol",
        arguments: Dissectors.rows.indices
    )
    func asksForLittle(row: Int) {
        let type = Dissectors.rows[row].type
        let starts: [[UInt8]] =
            ["GET / HTTP/1.1", "HTTP/1.1 200", "SSH-2.0-x", "*1\r\n$4\r\nPING", "<34>1 2003", "99 <34>1 2003"].map {
                Array($0.utf8)
            } + [
                [0, 0, 0, 40, 0, 3, 0, 0], [22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3], [21, 3, 3, 0, 2, 2, 40],
                [0xff, 0xff, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], [0x10, 0xff, 0xff, 0x7f, 0, 4, 77, 81, 84, 84, 4],
            ]
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let start = starts[Int.random(in: starts.indices, using: &generator)]
            var bytes = Array(start.prefix(Int.random(in: 0...start.count, using: &generator)))
            for _ in 0..<Int.random(in: 0..<80, using: &generator) {
                bytes.append(
                    Bool.random(using: &generator)
                        ? .random(in: 48...57, using: &generator) : .random(in: 0...255, using: &generator)
                )
            }
            if !bytes.isEmpty, Bool.random(using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            for direction in Direction.allCases {
                for hasPort in [false, true] {
                    let start = DissectionStart(direction: direction, transport: .tcp, hasPort: hasPort)
                    guard case .more(let count) = type.recognize(bytes.span.bytes, start) else { continue }
                    #expect(count <= FlowDissector.detectionLimit, "\(bytes)")
                }
            }
        }
    }

    @Test("Looks for ever where the port is known")
    func port() {
        var flow = DissectionDialogue(port: 80)
        for _ in 0..<1000 { flow.add([0xff], .upstream) }
        flow.add(Self.request, .upstream)
        #expect(flow.take() == ["up 1000..<1018 http: GET /"])
    }

    @Test("Reads both directions of a flow whose sides have changed places")
    func turned() {
        var dissector = FlowDissector(.tcp, clientPort: 80, serverPort: 50000)
        var said: [String] = []
        let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
        dissector.add(answer.span.bytes, .upstream, at: nil) { said.append("\($0.direction.label) \($0.range)") }
        dissector.turn()
        dissector.add(Self.request.span.bytes, .upstream, at: nil) { said.append("\($0.direction.label) \($0.range)") }
        dissector.add(answer.span.bytes, .downstream, at: nil) { said.append("\($0.direction.label) \($0.range)") }
        #expect(said == ["up 0..<27", "up 0..<18", "down 27..<54"])
    }

    @Test("Lends the message that is not complete yet, with its fields")
    func unfinished() {
        var dissector = FlowDissector(.tcp, clientPort: 50000, serverPort: 80)
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".utf8)
        dissector.add(head.span.bytes, .downstream, at: nil) { _ in Issue.record("it is not complete") }
        var fields = 0
        dissector.unfinished(.downstream) { fields = $0.fields.count }
        #expect(fields == 5)
        dissector.unfinished(.upstream) { _ in Issue.record("there is none") }
    }

    @Test("Has no more of a message's fields than are wanted")
    func wanted() {
        var flow = DissectionDialogue(wantsFields: false)
        flow.up("GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n")
        #expect(flow.messages.first?.fieldLines == ["http.host 22..<23 a"])
        #expect(flow.findings == [.host: "a"])
    }

    @Test("Keeps a bounded number of a message's fields, and says how many there were more")
    func bounded() throws {
        var flow = DissectionDialogue()
        flow.up("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 2000) + "\r\n")
        let message = try #require(flow.messages.first)
        #expect(message.fields.count == 512)
        #expect(message.fieldsLeftOut == 2003 - 512)
    }

    @Test("Says nothing of a terminal's controls, whatever is sent")
    func safe() {
        var flow = DissectionDialogue()
        flow.up("GET /\u{1B}[2J\u{7}\u{202e}\u{85} HTTP/1.1\r\nHost: \u{9b}31m\r\n\r\n")
        let summary = flow.messages.first?.summary.string ?? ""
        #expect(summary.hasPrefix("GET /\\x1b[2J\\x07\\xe2\\x80\\xae\\xc2\\x85"))
        #expect(summary.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7f })
    }

    @Test("Each row of the table has a name, help and fields of its own")
    func table() {
        let names = Dissectors.descriptions.map { "\($0.name)" }
        #expect(Set(names).count == names.count)
        #expect(names.count <= 64)
        for row in Dissectors.descriptions {
            #expect(!row.transports.isEmpty && row.summary.utf8CodeUnitCount > 0)
            let fields = row.fields.map { "\($0.name)" }
            #expect(Set(fields).count == fields.count, "\(row.name)")
            #expect(row.fields.allSatisfy { $0.help.utf8CodeUnitCount > 0 })
        }
    }

    @Test("Does without a trap with chunks of 0, 1 and 65,535 bytes, whatever dissector they go to")
    func sizes() {
        for row in Dissectors.descriptions {
            for transport in row.transports {
                for port in row.ports.prefix(1) {
                    for size in [0, 1, 65_535] {
                        for byte in [0, 0x2a, 0x30, 0x47, 0xff] as [UInt8] {
                            var flow = DissectionDialogue(transport, port: port)
                            flow.add(Array(repeating: byte, count: size), .upstream)
                            flow.add(Array(repeating: byte, count: size), .downstream)
                            flow.finish()
                        }
                    }
                }
            }
        }
    }
}
