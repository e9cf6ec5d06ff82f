import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("MQTT packets")
struct MQTTPacketsTests {
    private static func text(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }
    private static func packet(_ first: UInt8, _ content: [UInt8]) -> [UInt8] {
        [first, UInt8(content.count)] + content
    }

    private static func connect(_ level: UInt8, flags: UInt8, _ content: [UInt8]) -> [UInt8] {
        packet(0x10, text(level == 3 ? "MQIsdp" : "MQTT") + [level, flags, 1, 44] + content)
    }

    private static let plain = connect(4, flags: 2, text("me"))
    private static let fifth = connect(5, flags: 2, [0] + text("me"))

    @Test("Reads each part of a CONNECT, and where it is")
    func connects() {
        let connects = [
            Self.connect(
                3,
                flags: 0xC6,
                Self.text("c3") + Self.text("will") + Self.text("gone") + Self.text("u") + Self.text("p")
            ),
            Self.connect(4, flags: 0x80, Self.text("c4") + Self.text("user")),
            Self.connect(
                5,
                flags: 0x86,
                [2, 0x17, 1] + Self.text("c5") + [2, 1, 1] + Self.text("w") + Self.text("x") + Self.text("v")
            ),
            Self.connect(6, flags: 2, [0] + Self.text("c6")), Self.connect(4, flags: 3, Self.text("r")),
            Self.connect(4, flags: 0x18, Self.text("q")), Self.connect(4, flags: 0x10, Self.text("q")),
            Self.connect(4, flags: 4, Self.text("w") + Self.text("t")), Self.connect(4, flags: 0x40, Self.text("p")),
            Self.connect(4, flags: 0x80, Self.text("n")), Self.connect(4, flags: 2, []),
        ]
        var lines: [String] = []
        for connect in connects {
            var flow = DissectionDialogue()
            flow.add(connect, .upstream)
            lines += flow.lines
        }
        #expect(
            lines
                == """
                up 0..<36 mqtt: CONNECT 3.1 client c3 will will user u
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 34
                  mqtt.ver 10..<11 3
                  mqtt.kalive 12..<14 300
                  mqtt.clientid 16..<18 c3
                  mqtt.willtopic 20..<24 will
                  mqtt.username 32..<33 u
                up 0..<22 mqtt: CONNECT 3.1.1 client c4 user user
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 20
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<16 c4
                  mqtt.username 18..<22 user
                up 0..<31 mqtt: CONNECT 5 client c5 will w user v
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 29
                  mqtt.ver 8..<9 5
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 17..<19 c5
                  mqtt.willtopic 24..<25 w
                  mqtt.username 30..<31 v
                up 0..<17 mqtt: CONNECT 3.1 client c6
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 15
                  mqtt.ver 8..<9 6
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 15..<17 c6
                up 0..<15 mqtt: CONNECT 3.1.1 client r (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 13
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 r
                up 0..<15 mqtt: CONNECT 3.1.1 client q (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 13
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 q
                up 0..<15 mqtt: CONNECT 3.1.1 client q
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 13
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 q
                up 0..<18 mqtt: CONNECT 3.1.1 client w (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 16
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 w
                up 0..<15 mqtt: CONNECT 3.1.1 client p (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 13
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 p
                up 0..<15 mqtt: CONNECT 3.1.1 client n (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 13
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                  mqtt.clientid 14..<15 n
                up 0..<12 mqtt: CONNECT 3.1.1 (malformed)
                  mqtt.msgtype 0..<1 1
                  mqtt.len 1..<2 10
                  mqtt.ver 8..<9 4
                  mqtt.kalive 10..<12 300
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Reads each kind of packet up to version 3.1.1, and of version 5", arguments: [plain, fifth])
    func packets(connect: [UInt8]) {
        let none: [UInt8] = connect == Self.fifth ? [0] : []
        let some: [UInt8] = connect == Self.fifth ? [3, 0x26, 0, 0] : []
        let packets = [
            Self.packet(0x20, [1, 2] + none), Self.packet(0x30, Self.text("t") + none),
            Self.packet(0x3D, Self.text("t/u") + [1, 2] + some + Array("payload".utf8)),
            Self.packet(0x3A, Self.text("é") + [0, 3] + none + [27]), Self.packet(0x40, [1, 2]),
            Self.packet(0x50, [1, 3, 16]),
            Self.packet(0x62, [1, 4, 146, 0]), Self.packet(0x70, [1, 5]),
            Self.packet(0x82, [1, 6] + some + Self.text("a") + [0] + Self.text("b") + [2]),
            Self.packet(0x90, [1, 6] + some + [0, 2, 128]),
            Self.packet(0xA2, [1, 7] + none + Self.text("a") + Self.text("b")),
            Self.packet(0xB0, [1, 7] + none + [0, 17]), Self.packet(0xC0, []), Self.packet(0xD0, []),
            Self.packet(0xE0, [4]),
            Self.packet(0xE0, []), Self.packet(0xF0, [24, 0]), Self.packet(0xF0, []),
        ]
        var flow = DissectionDialogue()
        flow.add(connect + packets.joined(), .upstream)
        let expected =
            connect == Self.fifth
            ? """
            up 0..<17 mqtt: CONNECT 5 client me
              mqtt.msgtype 0..<1 1
              mqtt.len 1..<2 15
              mqtt.ver 8..<9 5
              mqtt.kalive 10..<12 300
              mqtt.clientid 15..<17 me
            up 17..<22 mqtt: CONNACK code 2, session present
              mqtt.msgtype 17..<18 2
              mqtt.len 18..<19 3
              mqtt.connack.reason_code 20..<21 2
            up 22..<28 mqtt: PUBLISH t
              mqtt.msgtype 22..<23 3
              mqtt.len 23..<24 4
              mqtt.qos 22..<23 0
              mqtt.topic 26..<27 t
            up 28..<48 mqtt: PUBLISH t/u #258 QoS 2 retained again, 7 bytes: payload
              mqtt.msgtype 28..<29 3
              mqtt.len 29..<30 18
              mqtt.qos 28..<29 2
              mqtt.topic 32..<35 t/u
              mqtt.msgid 35..<37 258
              mqtt.msg 41..<48 payload
            up 48..<58 mqtt: PUBLISH é #3 QoS 1 again, 1 byte: \\x1b
              mqtt.msgtype 48..<49 3
              mqtt.len 49..<50 8
              mqtt.qos 48..<49 1
              mqtt.topic 52..<54 é
              mqtt.msgid 54..<56 3
              mqtt.msg 57..<58 \u{1b}
            up 58..<62 mqtt: PUBACK #258
              mqtt.msgtype 58..<59 4
              mqtt.len 59..<60 2
              mqtt.msgid 60..<62 258
            up 62..<67 mqtt: PUBREC #259 code 16
              mqtt.msgtype 62..<63 5
              mqtt.len 63..<64 3
              mqtt.msgid 64..<66 259
              mqtt.pubrec.reason_code 66..<67 16
            up 67..<73 mqtt: PUBREL #260 code 146
              mqtt.msgtype 67..<68 6
              mqtt.len 68..<69 4
              mqtt.msgid 69..<71 260
              mqtt.pubrel.reason_code 71..<72 146
            up 73..<77 mqtt: PUBCOMP #261
              mqtt.msgtype 73..<74 7
              mqtt.len 74..<75 2
              mqtt.msgid 75..<77 261
            up 77..<93 mqtt: SUBSCRIBE #262 a b
              mqtt.msgtype 77..<78 8
              mqtt.len 78..<79 14
              mqtt.msgid 79..<81 262
              mqtt.topic 87..<88 a
              mqtt.subscription_options_qos 88..<89 0
              mqtt.topic 91..<92 b
              mqtt.subscription_options_qos 92..<93 2
            up 93..<104 mqtt: SUBACK #262 code 0 code 2 code 128
              mqtt.msgtype 93..<94 9
              mqtt.len 94..<95 9
              mqtt.msgid 95..<97 262
              mqtt.suback.reason_code 101..<102 0
              mqtt.suback.reason_code 102..<103 2
              mqtt.suback.reason_code 103..<104 128
            up 104..<115 mqtt: UNSUBSCRIBE #263 a b
              mqtt.msgtype 104..<105 10
              mqtt.len 105..<106 9
              mqtt.msgid 106..<108 263
              mqtt.topic 111..<112 a
              mqtt.topic 114..<115 b
            up 115..<122 mqtt: UNSUBACK #263 code 0 code 17
              mqtt.msgtype 115..<116 11
              mqtt.len 116..<117 5
              mqtt.msgid 117..<119 263
              mqtt.unsuback.reason_code 120..<121 0
              mqtt.unsuback.reason_code 121..<122 17
            up 122..<124 mqtt: PINGREQ
              mqtt.msgtype 122..<123 12
              mqtt.len 123..<124 0
            up 124..<126 mqtt: PINGRESP
              mqtt.msgtype 124..<125 13
              mqtt.len 125..<126 0
            up 126..<129 mqtt: DISCONNECT code 4
              mqtt.msgtype 126..<127 14
              mqtt.len 127..<128 1
              mqtt.disconnect.reason_code 128..<129 4
            up 129..<131 mqtt: DISCONNECT
              mqtt.msgtype 129..<130 14
              mqtt.len 130..<131 0
            up 131..<135 mqtt: AUTH code 24
              mqtt.msgtype 131..<132 15
              mqtt.len 132..<133 2
              mqtt.auth.reason_code 133..<134 24
            up 135..<137 mqtt: AUTH
              mqtt.msgtype 135..<136 15
              mqtt.len 136..<137 0
            """
            : """
            up 0..<16 mqtt: CONNECT 3.1.1 client me
              mqtt.msgtype 0..<1 1
              mqtt.len 1..<2 14
              mqtt.ver 8..<9 4
              mqtt.kalive 10..<12 300
              mqtt.clientid 14..<16 me
            up 16..<20 mqtt: CONNACK code 2, session present
              mqtt.msgtype 16..<17 2
              mqtt.len 17..<18 2
              mqtt.conack.val 19..<20 2
            up 20..<25 mqtt: PUBLISH t
              mqtt.msgtype 20..<21 3
              mqtt.len 21..<22 3
              mqtt.qos 20..<21 0
              mqtt.topic 24..<25 t
            up 25..<41 mqtt: PUBLISH t/u #258 QoS 2 retained again, 7 bytes: payload
              mqtt.msgtype 25..<26 3
              mqtt.len 26..<27 14
              mqtt.qos 25..<26 2
              mqtt.topic 29..<32 t/u
              mqtt.msgid 32..<34 258
              mqtt.msg 34..<41 payload
            up 41..<50 mqtt: PUBLISH é #3 QoS 1 again, 1 byte: \\x1b
              mqtt.msgtype 41..<42 3
              mqtt.len 42..<43 7
              mqtt.qos 41..<42 1
              mqtt.topic 45..<47 é
              mqtt.msgid 47..<49 3
              mqtt.msg 49..<50 \u{1b}
            up 50..<54 mqtt: PUBACK #258
              mqtt.msgtype 50..<51 4
              mqtt.len 51..<52 2
              mqtt.msgid 52..<54 258
            up 54..<59 mqtt: PUBREC #259 code 16
              mqtt.msgtype 54..<55 5
              mqtt.len 55..<56 3
              mqtt.msgid 56..<58 259
            up 59..<65 mqtt: PUBREL #260 code 146
              mqtt.msgtype 59..<60 6
              mqtt.len 60..<61 4
              mqtt.msgid 61..<63 260
            up 65..<69 mqtt: PUBCOMP #261
              mqtt.msgtype 65..<66 7
              mqtt.len 66..<67 2
              mqtt.msgid 67..<69 261
            up 69..<81 mqtt: SUBSCRIBE #262 a b
              mqtt.msgtype 69..<70 8
              mqtt.len 70..<71 10
              mqtt.msgid 71..<73 262
              mqtt.topic 75..<76 a
              mqtt.sub.qos 76..<77 0
              mqtt.topic 79..<80 b
              mqtt.sub.qos 80..<81 2
            up 81..<88 mqtt: SUBACK #262 code 0 code 2 code 128
              mqtt.msgtype 81..<82 9
              mqtt.len 82..<83 5
              mqtt.msgid 83..<85 262
              mqtt.suback.qos 85..<86 0
              mqtt.suback.qos 86..<87 2
              mqtt.suback.qos 87..<88 128
            up 88..<98 mqtt: UNSUBSCRIBE #263 a b
              mqtt.msgtype 88..<89 10
              mqtt.len 89..<90 8
              mqtt.msgid 90..<92 263
              mqtt.topic 94..<95 a
              mqtt.topic 97..<98 b
            up 98..<104 mqtt: UNSUBACK #263 code 0 code 17
              mqtt.msgtype 98..<99 11
              mqtt.len 99..<100 4
              mqtt.msgid 100..<102 263
            up 104..<106 mqtt: PINGREQ
              mqtt.msgtype 104..<105 12
              mqtt.len 105..<106 0
            up 106..<108 mqtt: PINGRESP
              mqtt.msgtype 106..<107 13
              mqtt.len 107..<108 0
            up 108..<111 mqtt: DISCONNECT code 4
              mqtt.msgtype 108..<109 14
              mqtt.len 109..<110 1
            up 111..<113 mqtt: DISCONNECT
              mqtt.msgtype 111..<112 14
              mqtt.len 112..<113 0
            up 113..<117 mqtt: AUTH code 24
              mqtt.msgtype 113..<114 15
              mqtt.len 114..<115 2
            up 117..<119 mqtt: AUTH
              mqtt.msgtype 117..<118 15
              mqtt.len 118..<119 0
            """
        #expect(flow.lines == expected.split(separator: "\n").map(String.init))
    }

    @Test("Says what there is of a stream that ends anywhere")
    func cut() {
        #expect(
            outcomes(of: Self.plain + Self.packet(0x31, Self.text("t") + [65]) + [0xC0, 0])
                == """
                0...15 nothing
                16...21 mqtt: CONNECT 3.1.1 client me, 5 fields
                22...23 mqtt: CONNECT 3.1.1 client me, 5 fields | mqtt: PUBLISH t retained, 1 byte: A, 5 fields
                24 mqtt: CONNECT 3.1.1 client me, 5 fields | mqtt: PUBLISH t retained, 1 byte: A, 5 fields | mqtt: P\
                INGREQ, 2 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Self.packet(0x31, Self.text("t") + [65]) + [0xC0, 0], port: 1883)
                == """
                0...5 nothing
                6...7 mqtt: PUBLISH t retained, 1 byte: A, 5 fields
                8 mqtt: PUBLISH t retained, 1 byte: A, 5 fields | mqtt: PINGREQ, 2 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Reads a length of one to four bytes",
        arguments: [
            (0, [0]), (127, [127]), (128, [128, 1]), (16_383, [255, 127]), (16_384, [128, 128, 1]),
            (2_097_151, [255, 255, 127]), (2_097_152, [128, 128, 128, 1]),
        ] as [(Int, [UInt8])]
    )
    func lengths(count: Int, length: [UInt8]) {
        var flow = DissectionDialogue()
        flow.add(Self.plain + [0xF0] + length, .upstream)
        if count > 0 { flow.gap(count, .upstream) }
        flow.add([0xC0, 0], .upstream)
        flow.finish()
        let start = Self.plain.count
        let end = start + 1 + length.count + count
        #expect(flow.said.last == "up \(end)..<\(end + 2) mqtt: PINGREQ")
        #expect(flow.messages.allSatisfy { !$0.fields.isEmpty })
    }

    @Test("Each kind of packet has its flags, at the start of a stream", arguments: UInt8.min ... .max)
    func flags(first: UInt8) {
        var flow = DissectionDialogue(port: 1883)
        flow.add([first, 4, 0, 1, 97, 0], .upstream)
        let right: Bool =
            switch first >> 4 {
            case 1, 0: false
            case 3: [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13].contains(first & 15)
            case 6, 8, 10: first & 15 == 2
            default: first & 15 == 0
            }
        #expect(!flow.said.isEmpty == right)
    }

    @Test("Reads 4,096 bytes of a packet, and no more", arguments: [4096, 4097, 4098])
    func known(count: Int) {
        let name = [UInt8](repeating: 97, count: count - 3)
        let filter = [UInt8(name.count >> 8), UInt8(name.count & 255)] + name
        var flow = DissectionDialogue()
        flow.add(Self.plain, .upstream)
        flow.add([0x30, UInt8(count & 127) | 128, UInt8(count >> 7)] + filter + [120], .upstream)
        // The header, the length of the topic and its last byte take one byte more than there are.
        let text = String(repeating: "a", count: 100)
        let rest = [4096: " \(text)..., 1 byte: x", 4097: " \(text)..., 1 byte: "][count] ?? ""
        #expect(flow.said.last?.hasSuffix("mqtt: PUBLISH\(rest)") == true)
        #expect(flow.messages.last?.values("mqtt.msg") == [4096: ["x"], 4097: [""]][count] ?? [])
    }
}
