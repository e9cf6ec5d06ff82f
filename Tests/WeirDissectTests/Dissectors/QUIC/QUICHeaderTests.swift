import Testing
import WeirWire

@testable import WeirDissect

@Suite("Long header of QUIC")
struct QUICHeaderTests {
    private static func header(_ bytes: [UInt8]) -> QUICHeader? { QUICHeader(bytes.span.bytes) }

    private static func variable(_ text: String, at start: Int = 0) -> [Int?] {
        var index = start
        let value = bytes(text).span.bytes.variable(&index)
        return [value, index]
    }

    @Test("Numbers have the forms of RFC 9000, appendix A.1")
    func numbers() {
        for (text, value) in [
            ("c2197c5eff14e88c", 151_288_809_941_952_652), ("9d7f3e7d", 494_878_333), ("7bbd", 15_293), ("25", 37),
            ("4025", 37), ("3f", 63), ("ffffffffffffffff", 4_611_686_018_427_387_903),
        ] {
            #expect(Self.variable(text) == [value, text.utf8.count / 2])
            #expect(Self.variable("ff" + text + "ff", at: 1) == [value, text.utf8.count / 2 + 1])
            #expect(Self.variable(String(text.dropLast(2))) == [nil, 0])
        }
    }

    @Test("Each kind of packet has its name and its fields")
    func kinds() {
        var said: [String] = []
        for (first, version) in [
            ("c0", "00000001"), ("d0", "00000001"), ("e0", "00000001"), ("f0", "00000001"), ("d0", "6b3343cf"),
            ("e0", "6b3343cf"), ("f0", "6b3343cf"), ("c0", "6b3343cf"), ("80", "00000000"),
        ] {
            var flow = DissectionDialogue(.udp, port: 443)
            let token = ["c000000001", "d06b3343cf"].contains(first + version) ? "03 aabbcc" : ""
            let rest = "4032" + String(repeating: "00", count: 50)
            flow.add(bytes(first + version + "08 0102030405060708 04 0a0b0c0d" + token + rest), .upstream)
            said.append(
                flow.said.joined() + flow.messages.flatMap(\.fieldLines).map { " | \($0.dropFirst(5))" }.joined()
            )
        }
        let ids = "dcid 6..<14 0102030405060708 | scid 15..<19 0a0b0c0d"
        #expect(
            said
                == """
                up 0..<75 quic: Initial, not opened | long.packet_type 0..<1 0 | version 1..<5 1 | \(ids) | token_length \
                19..<25 3 | length 25..<25 50
                up 0..<71 quic: 0-RTT | long.packet_type 0..<1 1 | version 1..<5 1 | \(ids) | length 21..<21 50
                up 0..<71 quic: Handshake | long.packet_type 0..<1 2 | version 1..<5 1 | \(ids) | length 21..<21 50
                up 0..<71 quic: Retry | long.packet_type 0..<1 3 | version 1..<5 1 | \(ids)
                up 0..<75 quic: Initial, not opened | long.packet_type 0..<1 0 | version 1..<5 1798521807 | \(ids) | \
                token_length 19..<25 3 | length 25..<25 50
                up 0..<71 quic: 0-RTT | long.packet_type 0..<1 1 | version 1..<5 1798521807 | \(ids) | length 21..<21 50
                up 0..<71 quic: Handshake | long.packet_type 0..<1 2 | version 1..<5 1798521807 | \(ids) | length 21..<21 50
                up 0..<71 quic: Retry | long.packet_type 0..<1 3 | version 1..<5 1798521807 | \(ids)
                up 0..<71 quic: Version Negotiation | long.packet_type 0..<1 4 | version 1..<5 0 | \(ids)
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Is none where it is cut or where a length is not possible",
        arguments: [
            ("e0 00000001 00 00 01", true), ("60 00000001 00 00 01", false), ("a0 00000001 00 00 01", false),
            ("a0 00000000 00 00", true), ("e0 00000001 00 00", false), ("f0 00000001 00 00", true),
            ("e0 00000001 00 00 00", false), ("e0 00000001 00 00 80 00 ff ff", true),
            ("e0 00000001 00 00 80 01 00 00", false), ("c0 00000001 00 00 00 01", true),
            ("c0 00000001 00 00 02 aa bb 01", true), ("c0 00000001 00 00 04 aa bb 01", false),
            ("c0 00000001 00 00 03 aa bb 01", false), ("c0 00000001 00 00", false), ("e0 00000001 00", false),
            ("e0 00000001", false), ("e0 000001", false),
        ]
    )
    func possible(text: String, isHeader: Bool) { #expect((Self.header(bytes(text)) != nil) == isHeader) }

    @Test("Its identifiers have 20 bytes at most", arguments: [(20, 0), (0, 20), (20, 20), (21, 0), (0, 21)])
    func identifiers(destination: Int, source: Int) {
        var packet = bytes("e0 00000001") + [UInt8(destination)] + [UInt8](repeating: 1, count: destination)
        packet += [UInt8(source)] + [UInt8](repeating: 2, count: source)
        let header = Self.header(packet + [5])
        #expect((header != nil) == (destination <= 20 && source <= 20))
        guard let header else { return }
        #expect(header.destination == 6..<(6 + destination) && header.source.count == source)
        #expect(header.numberOffset == packet.count + 1 && header.end == packet.count + 6)
        #expect(Self.header(packet) == nil && Self.header(Array(packet.dropLast())) == nil)
    }

    @Test(
        "Versions that are known",
        arguments: [
            (0, true), (1, true), (2, false), (0x6b33_43ce, false), (0x6b33_43cf, true), (0x6b33_43d0, false),
            (0xff00_0016, false), (0xff00_0017, true), (0xff00_0020, true), (0xff00_0021, false),
        ] as [(UInt32, Bool)]
    )
    func versions(version: UInt32, isKnown: Bool) {
        let number = (0..<4).map { UInt8(truncatingIfNeeded: version >> (24 - 8 * UInt32($0))) }
        #expect(Self.header([0xe0] + number + [0, 0, 1])?.isKnown == isKnown)
    }

    @Test("A datagram may have several packets, and what follows them is left")
    func several() {
        var flow = DissectionDialogue(.udp, port: 443)
        let packet = bytes("e0 00000001 00 00 403c") + [UInt8](repeating: 0, count: 60)
        flow.add(packet + packet + [0, 0, 0], .upstream)
        #expect(flow.take() == ["up 0..<69 quic: Handshake", "up 69..<138 quic: Handshake"])
        flow.add(packet, .downstream)
        #expect(flow.take() == ["down 0..<69 quic: Handshake"])
    }
}
