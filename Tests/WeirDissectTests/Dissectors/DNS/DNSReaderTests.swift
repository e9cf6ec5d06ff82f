import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("DNS reader")
struct DNSReaderTests {
    private static let question = "03 777777 01 61 00 0001 0001"
    /// Makes a message: its flags, the counts of its sections, and what follows.
    private static func message(_ flags: String, _ counts: String, _ rest: String) -> [UInt8] {
        bytes("1234" + flags + counts + rest)
    }

    @Test("Reads each type of record, in each section")
    func records() {
        let records = [
            "c00c 0001 0001 0000003c 0004 c0000201", "c00c 001c 0001 00000e10 0010 20010db8000000000000000000000001",
            "c00c 0002 0001 00000001 0004 01 62 c010", "c00c 0005 0001 00000002 0002 c010",
            "c00c 000c 0001 00000003 0003 01 63 00", "c00c 000f 0001 00000004 0006 000a 01 6d c010",
            "c00c 0010 0003 00000005 0008 02 6869 04 74657874",
            "c00c 0006 0001 00000006 001d 02 6e73 c010 01 72 c010 00000007 00000001 00000002 00000003 00000000",
            "c00c 0021 0001 00000008 0009 0001 0002 1f90 01 74 00", "c00c ff00 0001 00000009 0003 010203",
            "00 0029 04d0 00000000 000c 000a 0004 01020304 000c 0000", "c00c 0001 0001 0000000a 0000",
        ]
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(Self.message("8580", "0001 0006 0004 0002", Self.question + records.joined()), .downstream)
        #expect(
            flow.lines
                == """
                down 0..<262 dns: answer A www.a: 192.0.2.1, 2001:db8::1, NS b.a, CNAME a +2
                  dns.id 0..<2 4660
                  dns.flags.response 2..<4 1
                  dns.flags.opcode 2..<4 0
                  dns.flags.truncated 2..<4 0
                  dns.flags.authoritative 2..<4 1
                  dns.flags.rcode 2..<4 0
                  dns.qry.name 12..<19 www.a
                  dns.qry.type 19..<21 1
                  dns.qry.class 21..<23 1
                  dns.resp.name 23..<25 www.a
                  dns.resp.type 25..<27 1
                  dns.resp.class 27..<29 1
                  dns.resp.ttl 29..<33 60
                  dns.resp.len 33..<35 4
                  dns.a 35..<39 192.0.2.1
                  dns.resp.name 39..<41 www.a
                  dns.resp.type 41..<43 28
                  dns.resp.class 43..<45 1
                  dns.resp.ttl 45..<49 3600
                  dns.resp.len 49..<51 16
                  dns.aaaa 51..<67 2001:db8::1
                  dns.resp.name 67..<69 www.a
                  dns.resp.type 69..<71 2
                  dns.resp.class 71..<73 1
                  dns.resp.ttl 73..<77 1
                  dns.resp.len 77..<79 4
                  dns.ns 79..<83 b.a
                  dns.resp.name 83..<85 www.a
                  dns.resp.type 85..<87 5
                  dns.resp.class 87..<89 1
                  dns.resp.ttl 89..<93 2
                  dns.resp.len 93..<95 2
                  dns.cname 95..<97 a
                  dns.resp.name 97..<99 www.a
                  dns.resp.type 99..<101 12
                  dns.resp.class 101..<103 1
                  dns.resp.ttl 103..<107 3
                  dns.resp.len 107..<109 3
                  dns.ptr.domain_name 109..<112 c
                  dns.resp.name 112..<114 www.a
                  dns.resp.type 114..<116 15
                  dns.resp.class 116..<118 1
                  dns.resp.ttl 118..<122 4
                  dns.resp.len 122..<124 6
                  dns.mx.preference 124..<126 10
                  dns.mx.mail_exchange 126..<130 m.a
                  dns.resp.name 130..<132 www.a
                  dns.resp.type 132..<134 16
                  dns.resp.class 134..<136 3
                  dns.resp.ttl 136..<140 5
                  dns.resp.len 140..<142 8
                  dns.txt 143..<145 hi
                  dns.txt 146..<150 text
                  dns.resp.name 150..<152 www.a
                  dns.resp.type 152..<154 6
                  dns.resp.class 154..<156 1
                  dns.resp.ttl 156..<160 6
                  dns.resp.len 160..<162 29
                  dns.soa.mname 162..<167 ns.a
                  dns.soa.rname 167..<171 r.a
                  dns.soa.serial_number 171..<175 7
                  dns.resp.name 191..<193 www.a
                  dns.resp.type 193..<195 33
                  dns.resp.class 195..<197 1
                  dns.resp.ttl 197..<201 8
                  dns.resp.len 201..<203 9
                  dns.srv.priority 203..<205 1
                  dns.srv.weight 205..<207 2
                  dns.srv.port 207..<209 8080
                  dns.srv.target 209..<212 t
                  dns.resp.name 212..<214 www.a
                  dns.resp.type 214..<216 65280
                  dns.resp.class 216..<218 1
                  dns.resp.ttl 218..<222 9
                  dns.resp.len 222..<224 3
                  dns.data 224..<227 3
                  dns.resp.name 227..<228 .
                  dns.resp.type 228..<230 41
                  dns.rr.udp_payload_size 230..<232 1232
                  dns.resp.len 236..<238 12
                  dns.opt.code 238..<246 10
                  dns.opt.code 246..<250 12
                  dns.resp.name 250..<252 www.a
                  dns.resp.type 252..<254 1
                  dns.resp.class 254..<256 1
                  dns.resp.ttl 256..<260 10
                  dns.resp.len 260..<262 0
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Shows each type of answer, of which there is but one")
    func answers() {
        let records = [
            "0002 0001 00000001 0004 01 62 c010", "000c 0001 00000003 0003 01 63 00",
            "000f 0001 00000004 0006 000a 01 6d c010",
            "0010 0001 00000005 0008 02 6869 04 74657874",
            "0006 0001 00000006 001d 02 6e73 c010 01 72 c010 00000007 00000001 00000002 00000003 00000000",
            "0021 0001 00000008 0009 0001 0002 1f90 01 74 00", "ff00 0001 00000009 0003 010203",
            "001c 0001 00000e10 0010 20010db8000000000000000000000001",
            "001c 0001 00000e10 000f 20010db80000000000000000000000",
            "0001 0001 00000e10 0005 0102030405", "0005 0001 00000e10 0002 c0ff", "0001 0001 00000e10 0000",
        ]
        var said: [String] = []
        for record in records {
            var flow = DissectionDialogue(.udp, port: 53)
            flow.add(Self.message("8180", "0001 0001 0000 0000", Self.question + "c00c" + record), .downstream)
            said += flow.said
        }
        #expect(
            said
                == """
                down 0..<39 dns: answer A www.a: NS b.a
                down 0..<38 dns: answer A www.a: PTR c
                down 0..<41 dns: answer A www.a: MX m.a
                down 0..<43 dns: answer A www.a: TXT hi text
                down 0..<64 dns: answer A www.a: SOA ns.a
                down 0..<44 dns: answer A www.a: SRV t
                down 0..<38 dns: answer A www.a: TYPE65280
                down 0..<51 dns: answer A www.a: 2001:db8::1
                down 0..<50 dns: answer A www.a:\u{20}
                down 0..<40 dns: answer A www.a:\u{20}
                down 0..<37 dns: answer A www.a:\u{20}
                down 0..<35 dns: answer A www.a
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Shows four answers, and how many more there are",
        arguments: [
            (4, "a, b, c, d"), (5, "a, b, c, d +1"), (6, "a, b, c, d +2"),
        ]
    )
    func shown(count: Int, text: String) {
        let records = (0..<count).map { index in "c00c 0001 0001 0000003c 0004 c00002" + hex([UInt8(index)]) }.joined()
        let addresses = text.replacing("a", with: "192.0.2.0").replacing("b", with: "192.0.2.1")
            .replacing("c", with: "192.0.2.2").replacing("d", with: "192.0.2.3")
        var flow = DissectionDialogue(.udp, port: 53)
        flow.add(Self.message("8180", "0001 000\(count) 0000 0000", Self.question + records), .downstream)
        #expect(flow.said.first?.hasSuffix(": answer A www.a: \(addresses)") == true)
    }

    @Test("Names operations and answers, and reads the flags")
    func flags() {
        var lines: [String] = []
        for flags in [
            "0000", "0100", "0200", "0800", "1000", "2000", "2800", "3000", "8000", "8400", "8200", "9000", "a000",
            "a805", "8001", "8002", "8003", "8004", "8005", "8006", "8007", "8008", "8009", "800a", "800b", "800f",
        ] {
            var flow = DissectionDialogue(.udp, port: 53)
            flow.add(Self.message(flags, "0001 0000 0000 0000", Self.question), flags < "8" ? .upstream : .downstream)
            let fields = flow.messages.first?.fieldLines.filter { $0.contains("flags") } ?? []
            let values = fields.map { field in
                let parts = field.split(separator: " ")
                return "\(parts[0].split(separator: ".").last ?? "") \(parts[2])"
            }.joined(separator: ", ")
            lines.append("\(flags) \(flow.said.joined()), \(values)")
        }
        #expect(
            lines
                == """
                0000 up 0..<23 dns: query A www.a, response 0, opcode 0, truncated 0
                0100 up 0..<23 dns: query A www.a, response 0, opcode 0, truncated 0
                0200 up 0..<23 dns: query A www.a, response 0, opcode 0, truncated 1
                0800 up 0..<23 dns: inverse query A www.a, response 0, opcode 1, truncated 0
                1000 up 0..<23 dns: status A www.a, response 0, opcode 2, truncated 0
                2000 up 0..<23 dns: notify A www.a, response 0, opcode 4, truncated 0
                2800 up 0..<23 dns: update A www.a, response 0, opcode 5, truncated 0
                3000 up 0..<23 dns: stateful operation A www.a, response 0, opcode 6, truncated 0
                8000 down 0..<23 dns: answer A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 0
                8400 down 0..<23 dns: answer A www.a, response 1, opcode 0, truncated 0, authoritative 1, rcode 0
                8200 down 0..<23 dns: answer A www.a, response 1, opcode 0, truncated 1, authoritative 0, rcode 0
                9000 down 0..<23 dns: status answer A www.a, response 1, opcode 2, truncated 0, authoritative 0, rco\
                de 0
                a000 down 0..<23 dns: notify answer A www.a, response 1, opcode 4, truncated 0, authoritative 0, rco\
                de 0
                a805 down 0..<23 dns: update answer A www.a, response 1, opcode 5, truncated 0, authoritative 0, rco\
                de 5
                8001 down 0..<23 dns: FORMERR A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 1
                8002 down 0..<23 dns: SERVFAIL A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 2
                8003 down 0..<23 dns: NXDOMAIN A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 3
                8004 down 0..<23 dns: NOTIMP A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 4
                8005 down 0..<23 dns: REFUSED A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 5
                8006 down 0..<23 dns: YXDOMAIN A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 6
                8007 down 0..<23 dns: YXRRSET A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 7
                8008 down 0..<23 dns: NXRRSET A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 8
                8009 down 0..<23 dns: NOTAUTH A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 9
                800a down 0..<23 dns: NOTZONE A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 10
                800b down 0..<23 dns: rcode 11 A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 11
                800f down 0..<23 dns: rcode 15 A www.a, response 1, opcode 0, truncated 0, authoritative 0, rcode 15
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Says what there is of a datagram that is cut anywhere")
    func cutDatagrams() {
        let records = "c00c 0005 0001 00000002 0002 c010 c00c 0010 0001 00000005 0003 02 6869"
        let answer = Self.message("8180", "0001 0002 0000 0000", Self.question + records)
        #expect(
            outcomes(of: answer, .downstream, .udp, port: 53)
                == """
                0...11 nothing
                12...15 dns: answer  (malformed) (incomplete), 6 fields
                16...17 dns: answer www (malformed) (incomplete), 7 fields
                18...22 dns: answer www.a (malformed) (incomplete), 7 fields
                23...34 dns: answer A www.a (malformed) (incomplete), 9 fields
                35...36 dns: answer A www.a:  (malformed) (incomplete), 14 fields
                37...48 dns: answer A www.a: CNAME a (malformed) (incomplete), 15 fields
                49 dns: answer A www.a: CNAME a, TXT (malformed) (incomplete), 20 fields
                50 dns: answer A www.a: CNAME a, TXT  (malformed) (incomplete), 21 fields
                51 dns: answer A www.a: CNAME a, TXT h (malformed) (incomplete), 21 fields
                52 dns: answer A www.a: CNAME a, TXT hi, 21 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: answer, .downstream, .udp, port: 4000)
                == """
                0...51 nothing
                52 dns: answer A www.a: CNAME a, TXT hi, 21 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Says what there is of a stream that ends anywhere")
    func cutStreams() {
        let query = Self.message("0100", "0001 0000 0000 0000", Self.question)
        #expect(
            outcomes(of: [0, UInt8(query.count)] + query, port: 53)
                == """
                0...13 nothing
                14...17 dns: query  (malformed) (incomplete), 4 fields
                18...19 dns: query www (malformed) (incomplete), 5 fields
                20...24 dns: query www.a (malformed) (incomplete), 5 fields
                25 dns: query A www.a, 7 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: [0, UInt8(query.count)] + query, port: 4000)
                == """
                0...24 nothing
                25 dns: query A www.a, 7 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Recognises messages without the port, and those of the port that have no more records than there is room for",
        arguments: [
            ("0100 0001 0000 0000 0000", question, 4000, true),
            ("0100 0001 0000 0000 0000", question + "00", 4000, false),
            ("1800 0001 0000 0000 0000", question, 53, false), ("3800 0001 0000 0000 0000", question, 53, false),
            ("0100 0000 0000 0000 0000", "", 53, false), ("0100 0064 0000 0000 0000", question, 53, true),
            ("0100 0065 0000 0000 0000", question, 53, false), ("0100 0001 002d 0000 0000", question, 53, true),
            ("0100 0001 0000 002e 0000", question, 53, false), ("0100 0000 0000 0000 002e", question, 53, false),
            ("0100 0001 0000 0000 0000", "03 777777 01 61 00 0001 00ff", 4000, true),
            ("0100 0001 0000 0000 0000", "03 777777 01 61 00 0001 0002", 4000, false),
            ("0100 0001 0000 0000 0000", "03 777777 01 61 00 0003 0001", 4000, false),
            ("0100 0002 0000 0000 0000", question + question, 4000, false),
            ("0100 0001 0000 0000 0000", "20" + String(repeating: "41", count: 31) + "50 00 0001 0001", 4000, false),
            ("0100 0001 0000 0000 0000", "20" + String(repeating: "41", count: 31) + "51 00 0001 0001", 4000, true),
            ("0100 0001 0000 0000 0000", "20" + String(repeating: "50", count: 31) + "40 00 0001 0001", 4000, true),
            ("0100 0001 0000 0000 0000", "1f" + String(repeating: "41", count: 31) + "00 0001 0001", 4000, true),
        ] as [(String, String, UInt16, Bool)]
    )
    func recognition(header: String, rest: String, port: UInt16, isMessage: Bool) {
        for transport in [Transport.udp, .tcp] {
            let message = bytes("1234" + header + rest)
            var flow = DissectionDialogue(transport, port: port)
            flow.add((transport == .tcp ? [0, UInt8(message.count)] : []) + message, .upstream)
            // A datagram on the port is a message whatever it holds.
            let isByPort = transport == .udp && port == 53 && header.hasPrefix("01")
            #expect(flow.messages.contains { $0.summary.string.hasPrefix("query") } == (isMessage || isByPort))
        }
    }
}
