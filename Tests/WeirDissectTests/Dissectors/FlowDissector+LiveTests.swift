import Testing
import WeirWire

@testable import WeirDissect

@Suite("A flow that is dissected while it goes on")
struct FlowDissectorLiveTests {
    private static let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".utf8)

    private func http(_ downstream: [UInt8] = head) -> FlowDissector {
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 80)
        dissector.add(downstream.span.bytes, .downstream, at: nil) { _ in }
        return dissector
    }

    private func wanted(_ dissector: FlowDissector) -> [Int] { Direction.allCases.map { dissector.wanted($0) } }

    private func isReading(_ dissector: FlowDissector) -> [Bool] { Direction.allCases.map { dissector.isReading($0) } }

    @Test("Wants what comes next, of a body nothing, and of what it holds the rest")
    func wants() {
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 80)
        #expect(wanted(dissector) == [0, 0] && isReading(dissector) == [false, false])
        #expect(dissector.isStream)
        dissector = http()
        #expect(wanted(dissector) == [0, 1041] && isReading(dissector) == [false, true])
        dissector.add(Array("GET / HT".utf8).span.bytes, .upstream, at: nil) { _ in }
        #expect(wanted(dissector) == [8, 1041] && dissector.heldBytes == 8)
        dissector.add(Array("TP/1.1\r\n".utf8).span.bytes, .upstream, at: nil) { _ in }
        #expect(wanted(dissector) == [16, 1041] && dissector.heldBytes == 16)
        #expect(isReading(dissector) == [true, true])
    }

    @Test("Wants nothing of a body without an end, which it reads, nor of bytes that are nothing")
    func wantsNothing() {
        let rest = http(Array("HTTP/1.0 200 OK\r\n\r\n".utf8))
        #expect(wanted(rest) == [0, .max] && isReading(rest) == [false, true])
        var none = FlowDissector(.tcp, clientPort: 50_000, serverPort: 4000)
        for _ in 0..<64 { none.add(([0xff] as [UInt8]).span.bytes, .upstream, at: nil) { _ in } }
        #expect(wanted(none) == [.max, 0] && isReading(none) == [false, false])
    }

    @Test("What passed unseen ends the body, and is a gap beyond it", arguments: [1000, 1001])
    func passes(count: Int) {
        var dissector = http()
        var said: [String] = []
        dissector.pass(400, .downstream, at: 5) { said.append("\($0.range)") }
        #expect(said == [] && wanted(dissector) == [0, 1041])
        dissector.pass(599, .downstream, at: 6) { said.append("\($0.range)") }
        #expect(said == [] && wanted(dissector) == [0, 1041])
        dissector.pass(count - 999, .downstream, at: 7) { said.append("\($0.range) \($0.isComplete) \($0.time ?? 0)") }
        #expect(said == ["0..<1041 true 7"])
        #expect(wanted(dissector) == [0, 41 + count])
        dissector.add(Self.head.span.bytes, .downstream, at: nil) { _ in }
        #expect(wanted(dissector) == [0, 41 + count + 1041])
    }

    @Test("A datagram is read by itself once the protocol is known")
    func datagrams() {
        var dissector = FlowDissector(.udp, clientPort: 50_000, serverPort: 514)
        #expect(isReading(dissector) == [false, false] && !dissector.isStream)
        dissector.add(Array("<13>ab".utf8).span.bytes, .upstream, at: nil) { _ in }
        #expect(isReading(dissector) == [true, true])
    }

    @Test(
        "A protocol is looked for in 64 chunks of a direction, and not in more",
        arguments: [(63, true), (64, false)]
    )
    func tries(count: Int, isFound: Bool) {
        var flow = DissectionDialogue()
        for _ in 0..<count { flow.add([0xff], .upstream) }
        flow.up("GET / HTTP/1.1\r\n\r\n")
        #expect(flow.said.isEmpty == !isFound)
        #expect(FlowDissector.tryLimit == 64)
    }

    @Test(
        "Less than 132 KiB of a message that does not end are held, however they come",
        arguments: [(135_167, true), (135_168, false)],
        [1, 2, 3]
    )
    func held(bound: (count: Int, isRead: Bool), pieces: Int) {
        var flow = DissectionDialogue(port: 514)
        flow.up("<13>a\n")
        let line = Array("<14>".utf8) + [UInt8](repeating: 0x78, count: bound.count - 4)
        flow.add(line, .upstream, inPiecesOf: bound.count / pieces)
        flow.up("\n<15>b\n")
        #expect(flow.said.count == (bound.isRead ? 3 : 1))
        #expect(FlowDissector.heldLimit == 135_168)
    }

    @Test("An answer finds its request among the last 128", arguments: [(1, 0), (128, 0), (129, 1), (130, 2)])
    func pairs(requests: Int, forgotten: Int) {
        var flow = DissectionDialogue(port: 6379)
        for _ in 0..<requests { flow.up("PING\r\n") }
        for _ in 0..<requests { flow.down("+PONG\r\n") }
        let answers = flow.messages.dropFirst(requests).map { $0.answer?.request }
        #expect(answers == (0..<requests).map { $0 < forgotten ? nil : 6 * $0 })
    }
}
