import Testing
import WeirWire

@testable import WeirDissect

@Suite("DNS dissector")
struct DNSDissectorTests {
    private static let query = "1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001"
    private static let answer =
        "1234 8180 0001 0002 0000 0001 07 6578616d706c65 03 636f6d 00 0001 0001"
        + "c00c 0005 0001 00000e10 0006 03777777 c00c  c029 0001 0001 0000003c 0004 5db8d822"
        + "00 0029 04d0 00000000 0000"

    @Test("Pairs questions with answers, on any port")
    func pairs() {
        var flow = DissectionDialogue(.udp, port: 5300)
        flow.add(bytes(Self.query), .upstream)
        flow.add(bytes(Self.answer), .downstream)
        #expect(
            flow.said == [
                "up 0..<29 dns: query A example.com",
                "down 0..<74 dns: answer A example.com: CNAME www.example.com, 93.184.216.34 (answers 0 after 1 ms)",
            ]
        )
        #expect(flow.findings == [.query: "example.com"])
    }

    @Test("Says where the fields are")
    func fields() throws {
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(bytes(Self.answer), .downstream)
        let message = try #require(flow.messages.first)
        #expect(message.values("dns.resp.name") == ["example.com", "www.example.com", "."])
        #expect(message.fieldLines.contains("dns.a 59..<63 93.184.216.34"))
        #expect(message.fieldLines.contains("dns.cname 41..<47 www.example.com"))
        #expect(message.fieldLines.contains("dns.rr.udp_payload_size 66..<68 1232"))
    }

    @Test("Reads messages of a stream in pieces of any size", arguments: [1, 2, 5, 30, 1000])
    func stream(size: Int) {
        var flow = DissectionDialogue(.tcp, port: 53)
        let message = [0, 29] + bytes(Self.query)
        flow.add(message + message, .upstream, inPiecesOf: size)
        #expect(flow.said == ["up 0..<31 dns: query A example.com", "up 31..<62 dns: query A example.com"])
        #expect(flow.messages.last?.fieldLines.contains("dns.qry.name 45..<58 example.com") == true)
    }

    @Test(
        "Stops at names that are none: loops, pointers forward, labels without an end",
        arguments: [
            "1234 0100 0001 0000 0000 0000 c00c 0001 0001", "1234 0100 0001 0000 0000 0000 c00e c00c 0001 0001",
            "1234 0100 0001 0000 0000 0000 0161 c00c 0001 0001", "1234 0100 0001 0000 0000 0000 3f61 0001 0001",
            "1234 0100 0001 0000 0000 0000 4161 0001 0001",
        ]
    )
    func names(text: String) {
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(bytes(text), .upstream)
        #expect(flow.said.count == 1)
        #expect(flow.said.first?.hasSuffix("(malformed) (incomplete)") == true)
    }

    @Test("Names how a server fared")
    func codes() {
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(bytes("1234 8183 0001 0000 0000 0000 0161 00 001c 0001"), .downstream)
        #expect(flow.said == ["down 0..<19 dns: NXDOMAIN AAAA a"])
    }

    @Test("Takes time in proportion to a message that points into itself everywhere")
    func pointers() {
        // 5,000 records whose names go through a chain of labels, as long as a name may be.
        var message = bytes("1234 8180 0000 1388 0000 0000")
        let chain = message.count
        for _ in 0..<126 { message += [1, 0x61] }
        message += [0]
        let first: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]
        message += first
        for _ in 0..<4999 { message += [0xc0, UInt8(chain)] + Array(first.dropLast(4)) + [1, 2, 3, 4] }
        message.removeLast(max(message.count - 65_000, 0))
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(message, .downstream)
        #expect(flow.messages.first?.fields.count == 512)
        #expect((flow.messages.first?.fieldsLeftOut ?? 0) > 10_000)
    }
}
