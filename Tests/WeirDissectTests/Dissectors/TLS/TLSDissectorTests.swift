import Testing
import WeirWire

@testable import WeirDissect

@Suite("TLS dissector")
struct TLSDissectorTests {
    @Test("Says the same of pieces of any size", arguments: [1, 2, 3, 100, 517, 10_000])
    func handshake(size: Int) {
        var flow = DissectionDialogue()
        for (direction, record) in Self.handshake { flow.add(bytes(record), direction, inPiecesOf: size) }
        #expect(
            flow.said == [
                "up 0..<517 tls: ClientHello TLS 1.3 SNI example.com ALPN h2,http/1.1"
                    + " JA4 t13d1812h2_85036bcba153_d41ae481755e",
                "down 0..<79 tls: ServerHello TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ALPN h2",
                "down 79..<586 tls: Certificate CN=example.com,O=Example,C=CH www.example.com",
                "down 586..<706 tls: ServerKeyExchange",
                "down 706..<715 tls: ServerHelloDone",
                "up 517..<559 tls: ClientKeyExchange",
                "up 559..<565 tls: ChangeCipherSpec",
                "up 565..<610 tls: encrypted handshake, 40 bytes",
                "down 715..<906 tls: NewSessionTicket",
                "down 906..<912 tls: ChangeCipherSpec",
                "down 912..<957 tls: encrypted handshake, 40 bytes",
                "up 610..<640 tls: application data, 25 bytes",
            ]
        )
        #expect(flow.findings == [.serverName: "example.com"])
    }

    @Test("Says where the fields are")
    func fields() throws {
        var flow = DissectionDialogue()
        for (direction, record) in Self.handshake { flow.add(bytes(record), direction) }
        let hello = try #require(flow.messages.first)
        #expect(hello.values("tls.handshake.extensions_alpn_str") == ["h2", "http/1.1"])
        let name = try #require(hello.fields.first { "\($0.name.name)" == "tls.handshake.extensions_server_name" })
        let record = bytes(Self.handshake[0].1)
        #expect(String(decoding: record[name.range], as: UTF8.self) == "example.com")
        let certificate = try #require(flow.messages.first { !$0.values("x509.subject").isEmpty })
        #expect(certificate.values("x509.subject") == ["CN=example.com,O=Example,C=CH"])
        #expect(certificate.values("x509ce.dNSName") == ["example.com", "www.example.com"])
        let alternative = try #require(certificate.fields.last { "\($0.name.name)" == "x509ce.dNSName" })
        let answer = bytes(Self.handshake[1].1)
        #expect(String(decoding: answer[alternative.range], as: UTF8.self) == "www.example.com")
    }

    @Test("Joins a hello that is split over records, and finds its fields in them")
    func split() throws {
        let record = bytes(Self.handshake[0].1)
        var pieces: [UInt8] = []
        for start in stride(from: 5, to: record.count, by: 20) {
            let part = record[start..<min(start + 20, record.count)]
            pieces += [22, 3, 1, 0, UInt8(part.count)] + part
        }
        var flow = DissectionDialogue()
        flow.add(pieces, .upstream, inPiecesOf: 33)
        #expect(flow.said.count == 1)
        #expect(flow.messages.first?.range == 0..<pieces.count)
        #expect(flow.messages.first?.values("tls.handshake.extensions_server_name") == ["example.com"])
    }

    @Test("Reads alerts, and takes application data together")
    func others() {
        var flow = DissectionDialogue()
        flow.add(bytes(Self.handshake[0].1), .upstream)
        _ = flow.take()
        flow.add([21, 3, 3, 0, 2, 2, 40], .downstream)
        flow.add([23, 3, 3, 0, 1, 9, 23, 3, 3, 0, 2, 9, 9, 23, 3, 3, 0, 4, 9], .downstream)
        flow.add([9, 9, 9], .downstream)
        #expect(
            flow.take() == [
                "down 0..<7 tls: fatal alert: handshake failure",
                "down 7..<20 tls: application data, 3 bytes in 2 records",
                "down 20..<29 tls: application data, 4 bytes",
            ]
        )
    }

    @Test("Reads any bytes of a certificate")
    func certificates() {
        let answer = bytes(Self.handshake[1].1)
        for place in 0..<answer.count {
            for flip in [0x01, 0x80, 0xff] as [UInt8] {
                var changed = answer
                changed[place] ^= flip
                var flow = DissectionDialogue(port: 443)
                flow.add(changed, .downstream)
                flow.finish()
                #expect(flow.said.count <= 8)
            }
        }
    }

    @Test("A thousand records of data are taken together, and no more", arguments: [999, 1000, 1001])
    func records(count: Int) {
        var flow = DissectionDialogue(port: 443)
        flow.add([[UInt8]](repeating: [23, 3, 3, 0, 2, 9, 9], count: count).flatMap { $0 }, .upstream)
        let most = min(count, 1000)
        let first = "up 0..<\(7 * most) tls: application data, \(2 * most) bytes in \(most) records"
        #expect(flow.said == [first] + (count > 1000 ? ["up 7000..<7007 tls: application data, 2 bytes"] : []))
    }

    /// A handshake of OpenSSL 3.0 with TLS 1.2.
    private static let handshake: [(Direction, String)] = [
        (
            .upstream,
            """
            1603010200010001fc030335efb1957a36ed418dc00e078fdeecbbddfa67577bf3d0d1d04ea0a969acdc4f202a378ef7\
            d9d95b9d18ea0b9dbb692053e0acbd88ceafc378cda6287eb2da837e0024130213031301c02cc030c02bc02fcca9cca8\
            c024c028c023c027009f009e006b006700ff0100018f00000010000e00000b6578616d706c652e636f6d000b00040300\
            0102000a00160014001d0017001e0019001801000101010201030104002300000010000e000c02683208687474702f31\
            2e310016000000170000000d002a0028040305030603080708080809080a080b08040805080604010501060103030301\
            0302040205020602002b00050403040303002d00020101003300260024001d00204400dc520e4aee00186969b27fccdb\
            842132b1be7830a8177d90e5e4eb915c39001500d0000000000000000000000000000000000000000000000000000000\
            000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
            000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
            000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
            00000000000000000000000000000000000000000000000000000000000000000000000000\

            """
        ),
        (
            .downstream,
            """
            160303004a020000460303602c1953f67cd7be12980e2261f9c8121911b18f14a79b5e37b79b5f0f57143e00c02c0000\
            1eff01000100000b000403000102002300000010000500030268320017000016030301f60b0001f20001ef0001ec3082\
            01e83082018ea003020102021435060dd8b72c54fc3e27798b1d04be87f237c31c300a06082a8648ce3d040302303531\
            0b30090603550406130243483110300e060355040a0c074578616d706c653114301206035504030c0b6578616d706c65\
            2e636f6d301e170d3236313132353139353331385a170d3336313132323139353331385a3035310b3009060355040613\
            0243483110300e060355040a0c074578616d706c653114301206035504030c0b6578616d706c652e636f6d3059301306\
            072a8648ce3d020106082a8648ce3d03010703420004db515f61ce3ad5e20488cb144a355d5c92934c2ba8de8db283be\
            80aaba65737dc32f2128c858d3e98119ba612287605c20155b211cc5d250190d3205a1b97215a37c307a301d0603551d\
            0e041604141325ee3d5bb43bc0b1a1fc14f133b763c2c649ac301f0603551d230418301680141325ee3d5bb43bc0b1a1\
            fc14f133b763c2c649ac300f0603551d130101ff040530030101ff30270603551d110420301e820b6578616d706c652e\
            636f6d820f7777772e6578616d706c652e636f6d300a06082a8648ce3d0403020348003045022100b78e845f322ec41c\
            500ec439545581c5322ba1bbab45954a6f9296daad8bad43022076b8c4dbf219841d36540b3b0c17092636eff85362ca\
            65cc872b9c7c7ef8792d16030300730c00006f03001d207f03882875c815df7766fa95bb18c823fef3da7d9c2d58ec9e\
            6e6e1086a0c64e0403004730450220017c3bb0ddc2aebfc613001403962340708cec9c547e6e6918181086ce8922ce02\
            2100a253f65d13f4b3685addeb6b13f56df6a16742e3bc880419345b9fc72eb7d31c16030300040e000000\

            """
        ),
        (
            .upstream,
            """
            160303002510000021207e6d16671a0950658ee6c0d3aa54b0b50d8f626809782a08057620b53d18a548140303000101\
            1603030028afb5391d6c3bbf09469d863fded5e3f84528c755379cbb8e14ee26db2e0a81ea3ecc1e46b0003d27\

            """
        ),
        (
            .downstream,
            """
            16030300ba040000b600001c2000b0e577313a5f9321fef232aab065ef1bbc01aa37935b98e633a3d2075cdd7a315aa1\
            4fd278c76f4247b551b749c4229e34b16abc0abca270761a607f978e8be994c8db52e42d562fad70e87ad836d56f7637\
            1cc2611e9870d1f06140384450761c1dc377e8fb1bf1a5da330d0bc8ea90d920bcf11f1374ecc52cc450ce9d4778a83f\
            e68086ab3b03f75cb90e62b400dd625739237a2c29808e7162eda7738b8d79159a5827636fbe10585fb62378c560f814\
            03030001011603030028ea5b23c12525ec2318a5afb8c66b1b8c835b104ccde1b68242ed7ecee4820dacf92eba3a1384\
            4cda\

            """
        ),
        (
            .upstream,
            """
            1703030019afb5391d6c3bbf0a8e0f40684efae06de9b5c9681dbb530d94\

            """
        ),
    ]
}
