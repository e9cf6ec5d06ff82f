import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("TLS records")
struct TLSRecordsTests {
    /// Makes a hello of the client with some extensions.
    private static func hello(_ extensions: String) -> [UInt8] {
        let list = bytes(extensions)
        let body =
            bytes("0303" + String(repeating: "ab", count: 32) + "02 0102 0004 1301c02f 01 00") + [0, UInt8(list.count)]
            + list
        return record(22, [1, 0, 0, UInt8(body.count)] + body)
    }

    private static func answer(_ version: String, _ rest: String) -> [UInt8] {
        let body = bytes(version + String(repeating: "cd", count: 32) + rest)
        return record(22, [2, 0, 0, UInt8(body.count)] + body)
    }

    private static func record(_ type: UInt8, _ content: [UInt8], version: UInt8 = 3) -> [UInt8] {
        [type, 3, version, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
    }

    private static let extensions =
        "0000 0006 0004 00 0001 61 0a0a 0000 000a 0006 0004 001d 0017 000d 0004 0002 0403 0010 0008 0006 02 6832 02 6833 002b 0005 04 0304 0303"

    @Test("Reads each part of a hello, and where it is")
    func hellos() {
        var flow = DissectionDialogue()
        flow.add(Self.hello(Self.extensions), .upstream)
        flow.add(Self.answer("0303", "01 ff 1301 00 000a 002b 0002 0304 0010 0000"), .downstream)
        flow.add(Self.answer("0303", "00 c02f 00 0009 0010 0005 0003 02 6832"), .downstream)
        flow.add(Self.answer("7f12", "1301 0004 0033 0000"), .downstream)
        flow.add(Self.answer("0301", "00 002f 00"), .downstream)
        #expect(
            flow.lines
                == """
                up 0..<109 tls: ClientHello TLS 1.3 SNI a ALPN h2,h3 JA4 t13d0205h2_c1929292aa6b_9a0586ea5dd0
                  tls.record.content_type 0..<1 22
                  tls.record.version 1..<3 771
                  tls.record.length 3..<5 104
                  tls.handshake.type 5..<6 1
                  tls.handshake.version 9..<11 771
                  tls.handshake.random 11..<43 12370169555311111083
                  tls.handshake.session_id 44..<46 2
                  tls.handshake.ciphersuite 48..<50 4865
                  tls.handshake.ciphersuite 50..<52 49199
                  tls.handshake.extension.type 56..<58 0
                  tls.handshake.extensions_server_name 65..<66 a
                  tls.handshake.extension.type 66..<68 2570
                  tls.handshake.extension.type 70..<72 10
                  tls.handshake.extensions_supported_group 76..<78 29
                  tls.handshake.extensions_supported_group 78..<80 23
                  tls.handshake.extension.type 80..<82 13
                  tls.handshake.sig_hash_alg 86..<88 1027
                  tls.handshake.extension.type 88..<90 16
                  tls.handshake.extensions_alpn_str 95..<97 h2
                  tls.handshake.extensions_alpn_str 98..<100 h3
                  tls.handshake.extension.type 100..<102 43
                  tls.handshake.extensions.supported_version 105..<107 772
                  tls.handshake.extensions.supported_version 107..<109 771
                  tls.handshake.ja4 5..<109 t13d0205h2_c1929292aa6b_9a0586ea5dd0
                down 0..<60 tls: ServerHello TLS 1.3 TLS_AES_128_GCM_SHA256
                  tls.record.content_type 0..<1 22
                  tls.record.version 1..<3 771
                  tls.record.length 3..<5 55
                  tls.handshake.type 5..<6 2
                  tls.handshake.version 9..<11 771
                  tls.handshake.random 11..<43 14829735431805717965
                  tls.handshake.session_id 44..<45 1
                  tls.handshake.ciphersuite 45..<47 4865
                  tls.handshake.extension.type 50..<52 43
                  tls.handshake.extensions.supported_version 54..<56 772
                  tls.handshake.extension.type 56..<58 16
                down 60..<118 tls: ServerHello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ALPN h2
                  tls.record.content_type 60..<61 22
                  tls.record.version 61..<63 771
                  tls.record.length 63..<65 53
                  tls.handshake.type 65..<66 2
                  tls.handshake.version 69..<71 771
                  tls.handshake.random 71..<103 14829735431805717965
                  tls.handshake.session_id 104..<104 0
                  tls.handshake.ciphersuite 104..<106 49199
                  tls.handshake.extension.type 109..<111 16
                  tls.handshake.extensions_alpn_str 116..<118 h2
                down 118..<169 tls: ServerHello version 0x7f12 TLS_AES_128_GCM_SHA256
                  tls.record.content_type 118..<119 22
                  tls.record.version 119..<121 771
                  tls.record.length 121..<123 46
                  tls.handshake.type 123..<124 2
                  tls.handshake.version 127..<129 32530
                  tls.handshake.random 129..<161 14829735431805717965
                  tls.handshake.ciphersuite 161..<163 4865
                  tls.handshake.extension.type 165..<167 51
                down 169..<216 tls: ServerHello TLS 1.0 TLS_RSA_WITH_AES_128_CBC_SHA
                  tls.record.content_type 169..<170 22
                  tls.record.version 170..<172 771
                  tls.record.length 172..<174 42
                  tls.handshake.type 174..<175 2
                  tls.handshake.version 178..<180 769
                  tls.handshake.random 180..<212 14829735431805717965
                  tls.handshake.session_id 213..<213 0
                  tls.handshake.ciphersuite 213..<215 47
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("A hello whose parts have any other length is read as far as it is valid")
    func changed() {
        let hello = Self.hello("0000 0006 0004 00 0001 61 0010 0005 0003 02 6832 002b 0003 02 0304")
        var lines: [String] = []
        // From the version of the hello on; each byte once less, once more, once 255.
        for place in [43, 46, 47, 52, 54, 55] + Array(56..<hello.count) {
            for value in [hello[place] &- 1, hello[place] &+ 1, 255] {
                var changed = hello
                changed[place] = value
                var flow = DissectionDialogue(port: 443)
                flow.add(changed, .upstream)
                lines.append(
                    "\(place) \(value) \(flow.messages.first.map { "\($0.summary.string), \($0.fields.count)" } ?? "nothing")"
                )
            }
        }
        #expect(
            lines
                == """
                43 1 ClientHello TLS 1.2 JA4 t12i170000_aa468fb297fa_000000000000, 25
                43 3 ClientHello TLS 1.2 JA4 t12i160000_7d2d60794437_000000000000, 24
                43 255 ClientHello TLS 1.2 JA4 t12i000000_000000000000_000000000000, 8
                46 255 ClientHello TLS 1.2 JA4 t12i170000_de89421c263d_000000000000, 25
                46 1 ClientHello TLS 1.2 JA4 t12i170000_de89421c263d_000000000000, 25
                46 255 ClientHello TLS 1.2 JA4 t12i170000_de89421c263d_000000000000, 25
                47 3 ClientHello TLS 1.2 JA4 t12i010000_0f2cb44170f4_000000000000, 9
                47 5 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                47 255 ClientHello TLS 1.2 JA4 t12i170000_de89421c263d_000000000000, 25
                52 0 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                52 2 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                52 255 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                54 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                54 1 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                54 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                55 25 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                55 27 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                55 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                56 255 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_7e8e52de02d2, 15
                56 1 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_d2634dbe8332, 15
                56 255 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_7e8e52de02d2, 15
                57 255 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_7e7337e0938d, 15
                57 1 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_bd6cd700ad5d, 15
                57 255 ClientHello TLS 1.3 ALPN h2 JA4 t13i0203h2_c1929292aa6b_7e7337e0938d, 15
                58 255 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                58 1 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                58 255 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                59 5 ClientHello TLS 1.2 JA4 t12d020100_c1929292aa6b_000000000000, 11
                59 7 ClientHello TLS 1.2 SNI a JA4 t12d020100_c1929292aa6b_000000000000, 12
                59 255 ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10
                60 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                60 1 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                60 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                61 3 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                61 5 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                61 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                62 255 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                62 1 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                62 255 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                63 255 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                63 1 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                63 255 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                64 0 ClientHello TLS 1.3 SNI  ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                64 2 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                64 255 ClientHello TLS 1.3 ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 15
                65 96 ClientHello TLS 1.3 SNI ` ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                65 98 ClientHello TLS 1.3 SNI b ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                65 255 ClientHello TLS 1.3 SNI � ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                66 255 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_275b7b98279a, 15
                66 1 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_1ccf8778ec4b, 15
                66 255 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_275b7b98279a, 15
                67 15 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_671bbc4e3303, 15
                67 17 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_f3ae9e5011f3, 15
                67 255 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_7e7337e0938d, 15
                68 255 ClientHello TLS 1.2 SNI a JA4 t12d020100_c1929292aa6b_000000000000, 12
                68 1 ClientHello TLS 1.2 SNI a JA4 t12d020100_c1929292aa6b_000000000000, 12
                68 255 ClientHello TLS 1.2 SNI a JA4 t12d020100_c1929292aa6b_000000000000, 12
                69 4 ClientHello TLS 1.2 SNI a JA4 t12d020200_c1929292aa6b_000000000000, 13
                69 6 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                69 255 ClientHello TLS 1.2 SNI a JA4 t12d020100_c1929292aa6b_000000000000, 12
                70 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                70 1 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                70 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                71 2 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                71 4 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                71 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                72 1 ClientHello TLS 1.3 SNI a ALPN h JA4 t13d0203hh_c1929292aa6b_b9a491fefe05, 16
                72 3 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_b9a491fefe05, 15
                72 255 ClientHello TLS 1.3 SNI a JA4 t13d020300_c1929292aa6b_b9a491fefe05, 15
                73 103 ClientHello TLS 1.3 SNI a ALPN g2 JA4 t13d0203g2_c1929292aa6b_b9a491fefe05, 16
                73 105 ClientHello TLS 1.3 SNI a ALPN i2 JA4 t13d0203i2_c1929292aa6b_b9a491fefe05, 16
                73 255 ClientHello TLS 1.3 SNI a ALPN �2 JA4 t13d0203f2_c1929292aa6b_b9a491fefe05, 16
                74 49 ClientHello TLS 1.3 SNI a ALPN h1 JA4 t13d0203h1_c1929292aa6b_b9a491fefe05, 16
                74 51 ClientHello TLS 1.3 SNI a ALPN h3 JA4 t13d0203h3_c1929292aa6b_b9a491fefe05, 16
                74 255 ClientHello TLS 1.3 SNI a ALPN h� JA4 t13d02036f_c1929292aa6b_b9a491fefe05, 16
                75 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_785edc032609, 15
                75 1 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_0b242e9266c4, 15
                75 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_785edc032609, 15
                76 42 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_42a7a909af4a, 15
                76 44 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_42bc2ced0810, 15
                76 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_8909cde2f411, 15
                77 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                77 1 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                77 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                78 2 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_b9a491fefe05, 15
                78 4 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                78 255 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0202h2_c1929292aa6b_000000000000, 14
                79 1 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                79 3 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                79 255 ClientHello TLS 1.3 SNI a ALPN h2 JA4 t13d0203h2_c1929292aa6b_b9a491fefe05, 16
                80 2 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t00d0203h2_c1929292aa6b_b9a491fefe05, 16
                80 4 ClientHello version 0x0404 SNI a ALPN h2 JA4 t00d0203h2_c1929292aa6b_b9a491fefe05, 16
                80 255 ClientHello version 0xff04 SNI a ALPN h2 JA4 t00d0203h2_c1929292aa6b_b9a491fefe05, 16
                81 3 ClientHello TLS 1.2 SNI a ALPN h2 JA4 t12d0203h2_c1929292aa6b_b9a491fefe05, 16
                81 5 ClientHello version 0x0305 SNI a ALPN h2 JA4 t00d0203h2_c1929292aa6b_b9a491fefe05, 16
                81 255 ClientHello version 0x03ff SNI a ALPN h2 JA4 t00d0203h2_c1929292aa6b_b9a491fefe05, 16
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Says what there is of a stream that ends anywhere")
    func cut() {
        #expect(
            outcomes(of: Self.hello("") + Self.record(20, [1]) + Self.record(23, [1, 2]) + Self.record(23, [3]))
                == """
                0...55 nothing
                56...61 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields
                62...66 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields | tls: ChangeCi\
                pherSpec, 3 fields
                67...68 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields | tls: ChangeCi\
                pherSpec, 3 fields | tls: application data, 2 bytes (incomplete), 3 fields
                69...73 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields | tls: ChangeCi\
                pherSpec, 3 fields | tls: application data, 2 bytes, 3 fields
                74 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields | tls: ChangeCipherS\
                pec, 3 fields | tls: application data, 2 bytes, 3 fields | tls: application data, 1 byte (incomplete\
                ), 3 fields
                75 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000, 10 fields | tls: ChangeCipherS\
                pec, 3 fields | tls: application data, 3 bytes in 2 records, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Self.record(21, [1, 0]) + Self.record(24, [1]))
                == """
                0...6 nothing
                7...12 tls: alert: close notify, 5 fields
                13 tls: alert: close notify, 5 fields | tls: heartbeat, 1 byte, 3 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Self.record(23, [1, 2]), port: 443)
                == """
                0...5 nothing
                6 tls: application data, 2 bytes (incomplete), 3 fields
                7 tls: application data, 2 bytes, 3 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Is what a record's header can be",
        arguments: [
            ("13 0303 0001 00", 443, false), ("14 0303 0001 01", 443, true), ("18 0303 0001 00", 443, true),
            ("19 0303 0001 00", 443, false),
            ("14 0203 0001 01", 443, false), ("14 0403 0001 01", 443, false), ("14 0304 0001 01", 443, true),
            ("14 0305 0001 01", 443, false),
            ("14 0303 0000 14 0303 0001 01", 443, false), ("14 0303 0001 01", 4000, false),
            ("15 0303 0002 01 00", 4000, true),
            ("15 0303 0002 02 28", 4000, true), ("15 0303 0002 03 28", 4000, false),
            ("15 0303 0002 00 28", 4000, false),
            ("15 0303 0002 02 01", 4000, false), ("15 0303 0003 02 28 00", 4000, false),
            ("15 0303 0003 02 28 00", 443, true),
            ("16 0303 0004 01 000000", 4000, true), ("16 0303 0004 02 000000", 4000, true),
            ("16 0303 0004 03 000000", 4000, false),
            ("16 0303 0004 00 000000", 4000, false), ("16 0303 0004 0b 000000", 443, true),
            ("17 0303 4800 00", 443, true), ("17 0303 4801 00", 443, false),
        ] as [(String, UInt16, Bool)]
    )
    func recognition(text: String, port: UInt16, isRecord: Bool) {
        var flow = DissectionDialogue(port: port)
        flow.add(bytes(text), .upstream)
        if text.contains("4800") || text.contains("4801") { flow.gap(0x4800 - 1, .upstream) }
        #expect(!flow.said.isEmpty == isRecord)
    }

    @Test("After a change of ciphers handshakes and alerts are secret, but for a second hello")
    func secrets() {
        var flow = DissectionDialogue()
        flow.add(Self.hello(""), .upstream)
        flow.add(
            Self.record(20, [1]) + Self.record(22, [9, 9, 9]) + Self.record(22, [1, 0, 0, 1, 0])
                + Self.record(22, [1, 0, 0, 2, 0]),
            .upstream
        )
        flow.add(
            Self.record(22, [20, 0, 0, 0]) + Self.record(21, [1, 0]) + Self.record(21, [1, 0, 0])
                + Self.record(21, [2, 200]),
            .upstream
        )
        flow.add(
            Self.record(22, [14, 0, 0, 0]) + Self.record(22, [14, 0, 0, 0, 99])
                + Self.record(22, [14, 0, 0, 0, 14, 0, 0, 0]),
            .downstream
        )
        flow.add(
            Self.record(22, [11, 0, 0]) + Self.record(22, [0, 14, 0, 0, 0]) + Self.record(24, [1, 0, 0]),
            .downstream
        )
        #expect(
            flow.said
                == """
                up 0..<56 tls: ClientHello TLS 1.2 JA4 t12i020000_c1929292aa6b_000000000000
                up 56..<62 tls: ChangeCipherSpec
                up 62..<70 tls: encrypted handshake, 3 bytes
                up 70..<80 tls: ClientHello version 0x0000 JA4 t00i000000_000000000000_000000000000
                up 80..<90 tls: encrypted handshake, 5 bytes
                up 90..<99 tls: encrypted handshake, 4 bytes
                up 99..<106 tls: alert: close notify
                up 106..<114 tls: encrypted alert
                up 114..<121 tls: fatal alert: 200
                down 0..<9 tls: ServerHelloDone
                down 9..<19 tls: ServerHelloDone
                down 19..<32 tls: ServerHelloDone, ServerHelloDone
                down 32..<50 tls: Certificate, ServerHelloDone
                down 50..<58 tls: heartbeat, 3 bytes
                """.split(separator: "\n").map(String.init)
        )
    }
}
