import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("PostgreSQL messages")
struct PostgreSQLMessagesTests {
    /// Makes a message of a letter, or of none, with its length.
    static func message(_ letter: Character?, _ content: [UInt8]) -> [UInt8] {
        Array((letter.map(String.init) ?? "").utf8) + [
            0, 0, UInt8((content.count + 4) >> 8), UInt8((content.count + 4) & 255),
        ]
            + content
    }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    static let start = message(nil, [0, 3, 0, 2] + text("user") + text("me") + [0])

    @Test("Reads each message of the client, and where its parts are")
    func client() {
        var flow = DissectionDialogue()
        let messages = [
            Self.message("Q", Self.text("SELECT")), Self.message("Q", Self.text("")),
            Self.message("P", Self.text("s") + Self.text("INSERT") + [0, 0]),
            Self.message("B", Self.text("p") + Self.text("s") + [0, 0]),
            Self.message("E", Self.text("p") + [0, 0, 0, 0]),
            Self.message("D", Array("S".utf8) + Self.text("s")), Self.message("D", Array("P".utf8) + Self.text("p")),
            Self.message("C", Array("S".utf8) + Self.text("s")), Self.message("C", Array("P".utf8) + Self.text("")),
            Self.message("S", []), Self.message("H", []), Self.message("F", [1, 2]),
            Self.message("p", Self.text("secret")),
            Self.message("d", [7]), Self.message("d", []), Self.message("c", []),
            Self.message("f", Self.text("no disk")),
            Self.message("Q", Array("cut".utf8)), Self.message("X", []),
        ]
        flow.add(Self.start + messages.joined(), .upstream)
        #expect(
            flow.lines
                == """
                up 0..<17 postgresql: start-up, version 3.2, user me
                  pgsql.length 0..<4 17
                  pgsql.parameter_name 8..<12 user
                  pgsql.parameter_value 13..<15 me
                up 17..<29 postgresql: query SELECT
                  pgsql.type 17..<18 Q
                  pgsql.length 18..<22 11
                  pgsql.query 22..<28 SELECT
                up 29..<35 postgresql: query
                  pgsql.type 29..<30 Q
                  pgsql.length 30..<34 5
                up 35..<51 postgresql: parse s INSERT
                  pgsql.type 35..<36 P
                  pgsql.length 36..<40 15
                  pgsql.statement 40..<41 s
                  pgsql.query 42..<48 INSERT
                up 51..<62 postgresql: bind p s
                  pgsql.type 51..<52 B
                  pgsql.length 52..<56 10
                  pgsql.portal 56..<57 p
                  pgsql.statement 58..<59 s
                up 62..<73 postgresql: execute p
                  pgsql.type 62..<63 E
                  pgsql.length 63..<67 10
                  pgsql.portal 67..<68 p
                up 73..<81 postgresql: describe statement s
                  pgsql.type 73..<74 D
                  pgsql.length 74..<78 7
                  pgsql.statement 79..<80 s
                up 81..<89 postgresql: describe portal p
                  pgsql.type 81..<82 D
                  pgsql.length 82..<86 7
                  pgsql.portal 87..<88 p
                up 89..<97 postgresql: close statement s
                  pgsql.type 89..<90 C
                  pgsql.length 90..<94 7
                  pgsql.statement 95..<96 s
                up 97..<104 postgresql: close portal
                  pgsql.type 97..<98 C
                  pgsql.length 98..<102 6
                up 104..<109 postgresql: sync
                  pgsql.type 104..<105 S
                  pgsql.length 105..<109 4
                up 109..<114 postgresql: flush
                  pgsql.type 109..<110 H
                  pgsql.length 110..<114 4
                up 114..<121 postgresql: function call
                  pgsql.type 114..<115 F
                  pgsql.length 115..<119 6
                up 121..<133 postgresql: password or SASL response
                  pgsql.type 121..<122 p
                  pgsql.length 122..<126 11
                up 133..<139 postgresql: copy data, 1 byte
                  pgsql.type 133..<134 d
                  pgsql.length 134..<138 5
                up 139..<144 postgresql: copy data, 0 bytes
                  pgsql.type 139..<140 d
                  pgsql.length 140..<144 4
                up 144..<149 postgresql: copy done
                  pgsql.type 144..<145 c
                  pgsql.length 145..<149 4
                up 149..<162 postgresql: copy failed no disk
                  pgsql.type 149..<150 f
                  pgsql.length 150..<154 12
                  pgsql.message 154..<161 no disk
                up 162..<170 postgresql: query cut
                  pgsql.type 162..<163 Q
                  pgsql.length 163..<167 7
                  pgsql.query 167..<170 cut
                up 170..<175 postgresql: terminate
                  pgsql.type 170..<171 X
                  pgsql.length 171..<175 4
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Reads each message of the server, and where its parts are")
    func server() {
        var flow = DissectionDialogue(port: 5432)
        let column = [UInt8](repeating: 0, count: 18)
        var messages = [0, 3, 5, 11, 12, 7].map { Self.message("R", [0, 0, 0, $0]) }
        messages += [
            Self.message("R", [0, 0, 0, 10] + Self.text("A") + Self.text("B") + [0]),
            Self.message("S", Self.text("n") + Self.text("v")),
            Self.message("K", [0, 1, 0, 2, 9, 9, 9, 9]), Self.message("Z", Array("I".utf8)),
            Self.message("Z", Array("T".utf8)),
            Self.message("Z", Array("E".utf8)),
            Self.message("T", [0, 2] + Self.text("a") + column + Self.text("b") + column),
            Self.message("T", [0, 0]), Self.message("D", [0, 3, 0, 0, 0, 1, 49, 255, 255, 255, 255, 0, 0, 0, 0]),
            Self.message("C", Self.text("INSERT 0 1")),
            Self.message(
                "E",
                [83] + Self.text("ERROR") + [86] + Self.text("x") + [67] + Self.text("1A") + [77] + Self.text("no") + [
                    0
                ]
            ),
            Self.message("N", [77] + Self.text("hm") + [0]),
        ]
        messages += "123ntIsGHWcAvV".map { Self.message($0, []) }
        flow.add(Array(messages.joined()), .downstream)
        #expect(
            flow.lines
                == """
                down 0..<9 postgresql: authentication done
                  pgsql.type 0..<1 R
                  pgsql.length 1..<5 8
                  pgsql.authtype 5..<9 0
                down 9..<18 postgresql: authentication by password
                  pgsql.type 9..<10 R
                  pgsql.length 10..<14 8
                  pgsql.authtype 14..<18 3
                down 18..<27 postgresql: authentication by MD5
                  pgsql.type 18..<19 R
                  pgsql.length 19..<23 8
                  pgsql.authtype 23..<27 5
                down 27..<36 postgresql: authentication, SASL goes on
                  pgsql.type 27..<28 R
                  pgsql.length 28..<32 8
                  pgsql.authtype 32..<36 11
                down 36..<45 postgresql: authentication, SASL ends
                  pgsql.type 36..<37 R
                  pgsql.length 37..<41 8
                  pgsql.authtype 41..<45 12
                down 45..<54 postgresql: authentication, kind 7
                  pgsql.type 45..<46 R
                  pgsql.length 46..<50 8
                  pgsql.authtype 50..<54 7
                down 54..<68 postgresql: authentication by SASL A B
                  pgsql.type 54..<55 R
                  pgsql.length 55..<59 13
                  pgsql.authtype 59..<63 10
                down 68..<77 postgresql: parameter n v
                  pgsql.type 68..<69 S
                  pgsql.length 69..<73 8
                  pgsql.parameter_name 73..<74 n
                  pgsql.parameter_value 75..<76 v
                down 77..<90 postgresql: backend key, process 65538
                  pgsql.type 77..<78 K
                  pgsql.length 78..<82 12
                down 90..<96 postgresql: ready, idle
                  pgsql.type 90..<91 Z
                  pgsql.length 91..<95 5
                  pgsql.status 95..<96 I
                down 96..<102 postgresql: ready, in a transaction
                  pgsql.type 96..<97 Z
                  pgsql.length 97..<101 5
                  pgsql.status 101..<102 T
                down 102..<108 postgresql: ready, in a transaction that failed
                  pgsql.type 102..<103 Z
                  pgsql.length 103..<107 5
                  pgsql.status 107..<108 E
                down 108..<155 postgresql: columns a, b
                  pgsql.type 108..<109 T
                  pgsql.length 109..<113 46
                  pgsql.col.name 115..<116 a
                  pgsql.col.name 135..<136 b
                down 155..<162 postgresql: columns
                  pgsql.type 155..<156 T
                  pgsql.length 156..<160 6
                down 162..<182 postgresql: row 1, null,\u{20}
                  pgsql.type 162..<163 D
                  pgsql.length 163..<167 19
                  pgsql.val.data 173..<174 1
                  pgsql.val.data 178..<178\u{20}
                  pgsql.val.data 182..<182\u{20}
                down 182..<198 postgresql: done INSERT 0 1
                  pgsql.type 182..<183 C
                  pgsql.length 183..<187 15
                  pgsql.tag 187..<197 INSERT 0 1
                down 198..<222 postgresql: error ERROR 1A no
                  pgsql.type 198..<199 E
                  pgsql.length 199..<203 23
                  pgsql.severity 204..<209 ERROR
                  pgsql.code 214..<216 1A
                  pgsql.message 218..<220 no
                down 222..<232 postgresql: notice hm
                  pgsql.type 222..<223 N
                  pgsql.length 223..<227 9
                  pgsql.message 228..<230 hm
                down 232..<237 postgresql: parse complete
                  pgsql.type 232..<233 1
                  pgsql.length 233..<237 4
                down 237..<242 postgresql: bind complete
                  pgsql.type 237..<238 2
                  pgsql.length 238..<242 4
                down 242..<247 postgresql: close complete
                  pgsql.type 242..<243 3
                  pgsql.length 243..<247 4
                down 247..<252 postgresql: no data
                  pgsql.type 247..<248 n
                  pgsql.length 248..<252 4
                down 252..<257 postgresql: parameters
                  pgsql.type 252..<253 t
                  pgsql.length 253..<257 4
                down 257..<262 postgresql: empty query
                  pgsql.type 257..<258 I
                  pgsql.length 258..<262 4
                down 262..<267 postgresql: portal suspended
                  pgsql.type 262..<263 s
                  pgsql.length 263..<267 4
                down 267..<272 postgresql: copy in
                  pgsql.type 267..<268 G
                  pgsql.length 268..<272 4
                down 272..<277 postgresql: copy out
                  pgsql.type 272..<273 H
                  pgsql.length 273..<277 4
                down 277..<282 postgresql: copy both
                  pgsql.type 277..<278 W
                  pgsql.length 278..<282 4
                down 282..<287 postgresql: copy done
                  pgsql.type 282..<283 c
                  pgsql.length 283..<287 4
                down 287..<292 postgresql: notification
                  pgsql.type 287..<288 A
                  pgsql.length 288..<292 4
                down 292..<297 postgresql: protocol version
                  pgsql.type 292..<293 v
                  pgsql.length 293..<297 4
                down 297..<302 postgresql: function result
                  pgsql.type 297..<298 V
                  pgsql.length 298..<302 4
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Is what a start-up can be",
        arguments: [
            ("00000008 04d2162f", true), ("00000009 04d2162f 00", false), ("00000008 04d21630", true),
            ("00000007 00030000", false),
            ("00000010 04d2162e 00000001 00000002", true), ("0000000c 04d2162e 00000001", false),
            ("00000008 00030000", true),
            ("00000008 00030063", true), ("00000008 00030064", false), ("00000008 00020000", false),
            ("00002711 00030000", false),
        ]
    )
    func starts(text: String, isStart: Bool) {
        var flow = DissectionDialogue()
        flow.add(bytes(text), .upstream)
        #expect(!flow.said.isEmpty == isStart)
        var other = DissectionDialogue(port: 5432)
        other.add(bytes(text), .downstream)
        #expect(other.said.isEmpty)
    }

    @Test(
        "After a request for encryption one byte answers",
        arguments: [
            ("04d2162f", 78, "no encryption"), ("04d2162f", 83, "encryption follows"),
            ("04d21630", 71, "encryption follows"),
            ("04d21630", 78, "no encryption"), ("04d2162f", 82, ""),
        ] as [(String, UInt8, String)]
    )
    func encryption(code: String, answer: UInt8, text: String) {
        var flow = DissectionDialogue()
        flow.add(bytes("00000008" + code), .upstream)
        flow.add([answer], .downstream)
        #expect(flow.messages.dropFirst().map(\.summary.string) == (text.isEmpty ? [] : [text]))
        #expect(flow.said.first == "up 0..<8 postgresql: \(code == "04d2162f" ? "TLS" : "GSSAPI") request")
        #expect(
            flow.messages.dropFirst().allSatisfy { $0.fieldLines == ["pgsql.type 0..<1 \(Unicode.Scalar(answer))"] }
        )
    }
}
