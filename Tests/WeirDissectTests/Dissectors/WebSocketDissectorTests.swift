import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("WebSocket dissector")
struct WebSocketDissectorTests {
    /// A flow after an upgrade; its client has sent 38 bytes, its server 39.
    private static let upgrade: [(bytes: [UInt8], direction: Direction)] = [
        (Array("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".utf8), .upstream),
        (Array("HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\n\r\n".utf8), .downstream),
    ]

    private static var upgraded: DissectionDialogue {
        var flow = DissectionDialogue()
        for (bytes, direction) in upgrade { flow.add(bytes, direction) }
        return flow
    }

    @Test("Reads each kind of frame, with and without a mask, and where its parts are")
    func frames() {
        var flow = Self.upgraded
        flow.add([0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6B], .upstream)
        flow.add([0x01, 0x86, 1, 2, 3, 4, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60], .upstream)
        flow.add([0x80, 0x81, 0, 0, 0, 0, 97, 0x82, 0x80, 9, 9, 9, 9, 0xC1, 0x81, 0, 0, 0, 0, 1], .upstream)
        flow.add([0x89, 0x01, 1, 0x8A, 0, 0x88, 0, 0x88, 1, 3, 0x88, 4, 0x03, 0xE9, 98, 121, 0x81, 0], .downstream)
        #expect(
            Array(flow.lines.drop { !$0.contains("websocket:") })
                == """
                up 38..<46 websocket: text, 2 bytes: hi
                  websocket.fin 38..<39 1
                  websocket.opcode 38..<39 1
                  websocket.mask 39..<40 1
                  websocket.payload_length 39..<40 2
                  websocket.payload.text 44..<46 hi
                up 46..<58 websocket: text (more follows), 6 bytes: abcdab
                  websocket.fin 46..<47 0
                  websocket.opcode 46..<47 1
                  websocket.mask 47..<48 1
                  websocket.payload_length 47..<48 6
                  websocket.payload.text 52..<58 abcdab
                up 58..<65 websocket: continuation, 1 byte
                  websocket.fin 58..<59 1
                  websocket.opcode 58..<59 0
                  websocket.mask 59..<60 1
                  websocket.payload_length 59..<60 1
                up 65..<71 websocket: binary, 0 bytes
                  websocket.fin 65..<66 1
                  websocket.opcode 65..<66 2
                  websocket.mask 66..<67 1
                  websocket.payload_length 66..<67 0
                up 71..<78 websocket: text compressed, 1 byte
                  websocket.fin 71..<72 1
                  websocket.opcode 71..<72 1
                  websocket.mask 72..<73 1
                  websocket.payload_length 72..<73 1
                down 39..<42 websocket: ping, 1 byte
                  websocket.fin 39..<40 1
                  websocket.opcode 39..<40 9
                  websocket.mask 40..<41 0
                  websocket.payload_length 40..<41 1
                down 42..<44 websocket: pong, 0 bytes
                  websocket.fin 42..<43 1
                  websocket.opcode 42..<43 10
                  websocket.mask 43..<44 0
                  websocket.payload_length 43..<44 0
                down 44..<46 websocket: close, 0 bytes
                  websocket.fin 44..<45 1
                  websocket.opcode 44..<45 8
                  websocket.mask 45..<46 0
                  websocket.payload_length 45..<46 0
                down 46..<49 websocket: close, 1 byte
                  websocket.fin 46..<47 1
                  websocket.opcode 46..<47 8
                  websocket.mask 47..<48 0
                  websocket.payload_length 47..<48 1
                down 49..<55 websocket: close, 4 bytes: 1001 by
                  websocket.fin 49..<50 1
                  websocket.opcode 49..<50 8
                  websocket.mask 50..<51 0
                  websocket.payload_length 50..<51 4
                  websocket.payload.close.status_code 51..<53 1001
                down 55..<57 websocket: text, 0 bytes
                  websocket.fin 55..<56 1
                  websocket.opcode 55..<56 1
                  websocket.mask 56..<57 0
                  websocket.payload_length 56..<57 0
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Says what there is of a frame that ends anywhere")
    func cut() {
        #expect(
            outcomes(of: [0x81, 0x83, 0, 0, 0, 0, 97, 98, 99, 0x8A, 0], after: Self.upgrade)
                == """
                0...8 nothing
                9...10 websocket: text, 3 bytes: abc, 5 fields
                11 websocket: text, 3 bytes: abc, 5 fields | websocket: pong, 0 bytes, 4 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: [0x82, 126, 0, 2, 1, 2], .downstream, after: Self.upgrade)
                == """
                0...5 nothing
                6 websocket: binary, 2 bytes, 4 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 2], .downstream, after: Self.upgrade)
                == """
                0...10 nothing
                11 websocket: binary, 1 byte, 4 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Frames that cannot be are lost",
        arguments: [
            ([0x91, 0], false), ([0xA1, 0], false), ([0xC1, 0], true), ([0x83, 0], false), ([0x87, 0], false),
            ([0x8B, 0], false), ([0x80, 0], true),
            ([0x09, 0], false), ([0x08, 0], false), ([0x00, 0], true),
            ([0x89, 126, 0, 125] + [UInt8](repeating: 1, count: 125), true),
            ([0x89, 126, 0, 126] + [UInt8](repeating: 1, count: 126), false),
            ([0x82, 127, 16, 0, 0, 0, 0, 0, 0, 1], false),
        ] as [([UInt8], Bool)]
    )
    func wrong(frame: [UInt8], isRead: Bool) {
        var flow = Self.upgraded
        flow.add(frame, .downstream)
        #expect(flow.said.count == (isRead ? 3 : 2))
    }

    @Test("Shows 128 bytes of a text", arguments: [127, 128, 129])
    func shown(count: Int) {
        var flow = Self.upgraded
        flow.add([0x81, 126, 0, UInt8(count)] + [UInt8](repeating: 97, count: count) + [0x8A, 0], .downstream)
        let text = String(repeating: "a", count: min(count, 128)) + (count > 128 ? "..." : "")
        #expect(flow.messages.dropFirst(2).map(\.summary.string) == ["text, \(count) bytes: \(text)", "pong, 0 bytes"])
        #expect(flow.messages.last?.range == (43 + count)..<(45 + count))
    }
}
