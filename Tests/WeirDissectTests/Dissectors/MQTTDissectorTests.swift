import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("MQTT dissector")
struct MQTTDissectorTests {
    /// What `mosquitto_sub -i me -u user -P secret` sends.
    private static let connect: [UInt8] =
        [0x10, 28, 0, 4] + Array("MQTT".utf8) + [4, 0xC2, 0, 60, 0, 2] + Array("me".utf8)
        + [0, 4] + Array("user".utf8) + [0, 6] + Array("secret".utf8)
    private static let subscribe: [UInt8] = [0x82, 8, 0, 1, 0, 3] + Array("a/#".utf8) + [1]
    private static let publish: [UInt8] = [0x33, 12, 0, 3] + Array("a/b".utf8) + [0, 7] + Array("21.50".utf8)

    @Test(
        "Reads a session on any port, in pieces of any size, and keeps the password to itself",
        arguments: [1, 2, 7, 99]
    )
    func session(size: Int) {
        var flow = DissectionDialogue()
        flow.add(Self.connect, .upstream, inPiecesOf: size)
        flow.add([0x20, 2, 0, 0], .downstream, inPiecesOf: size)
        flow.add(Self.subscribe, .upstream, inPiecesOf: size)
        flow.add([0x90, 3, 0, 1, 1] + Self.publish, .downstream, inPiecesOf: size)
        flow.add([0x40, 2, 0, 7, 0xC0, 0, 0xE0, 0], .upstream, inPiecesOf: size)
        #expect(
            flow.said == [
                "up 0..<30 mqtt: CONNECT 3.1.1 client me user user", "down 0..<4 mqtt: CONNACK code 0",
                "up 30..<40 mqtt: SUBSCRIBE #1 a/#", "down 4..<9 mqtt: SUBACK #1 code 1",
                "down 9..<23 mqtt: PUBLISH a/b #7 QoS 1 retained, 5 bytes: 21.50", "up 40..<44 mqtt: PUBACK #7",
                "up 44..<46 mqtt: PINGREQ", "up 46..<48 mqtt: DISCONNECT",
            ]
        )
    }

    @Test("Says where the fields are")
    func fields() {
        var flow = DissectionDialogue()
        flow.add(Self.connect + Self.publish, .upstream)
        #expect(
            flow.messages.first?.fieldLines == [
                "mqtt.msgtype 0..<1 1", "mqtt.len 1..<2 28", "mqtt.ver 8..<9 4", "mqtt.kalive 10..<12 60",
                "mqtt.clientid 14..<16 me", "mqtt.username 18..<22 user",
            ]
        )
        #expect(
            flow.messages.last?.fieldLines == [
                "mqtt.msgtype 30..<31 3", "mqtt.len 31..<32 12", "mqtt.qos 30..<31 1", "mqtt.topic 34..<37 a/b",
                "mqtt.msgid 37..<39 7", "mqtt.msg 39..<44 21.50",
            ]
        )
    }

    @Test("Skips the properties of version 5")
    func properties() {
        var flow = DissectionDialogue()
        let connect: [UInt8] = [0x10, 18, 0, 4] + Array("MQTT".utf8) + [5, 2, 0, 60, 5, 0x11, 0, 0, 0, 9, 0, 0]
        flow.add(connect, .upstream)
        flow.add([0x20, 3, 1, 0, 0], .downstream)
        flow.add([0x30, 9, 0, 1, 97, 2, 0x01, 0x01] + Array("hey".utf8), .upstream)
        #expect(
            flow.said == [
                "up 0..<20 mqtt: CONNECT 5 client ", "down 0..<5 mqtt: CONNACK code 0, session present",
                "up 20..<31 mqtt: PUBLISH a, 3 bytes: hey",
            ]
        )
    }

    @Test("Lets a long message pass")
    func long() {
        var flow = DissectionDialogue()
        flow.add(Self.connect, .upstream)
        let payload = [UInt8](repeating: 120, count: 200_000)
        let length = 200_003
        let header = [0x30, UInt8(length & 127) | 128, UInt8(length >> 7 & 127) | 128, UInt8(length >> 14), 0, 1, 97]
        flow.add(header + payload, .upstream, inPiecesOf: 5000)
        flow.add([0xC0, 0], .upstream)
        #expect(flow.said.count == 3)
        #expect(flow.said.last == "up 200037..<200039 mqtt: PINGREQ")
        #expect(flow.said[1].hasPrefix("up 30..<200037 mqtt: PUBLISH a, 200000 bytes: xxx"))
    }

    @Test(
        "Is not what its first byte cannot begin",
        arguments: [[0x00, 0], [0x11, 4], [0x10, 10, 0, 4, 77, 81, 84, 85, 4, 2], [0x10, 255, 255, 255, 255]]
    )
    func others(bytes: [UInt8]) {
        var flow = DissectionDialogue(port: 1883)
        flow.add(bytes, .upstream)
        flow.finish()
        #expect(flow.said == [])
    }

    @Test("A malformed packet says so, and the stream goes on behind it", .needsCases)
    func malformed() throws {
        let said = try CaseMessages("mqtt-publish-qos3.pcap").said.map { $0.split(separator: " ").dropFirst(2) }
        #expect(said.contains(["mqtt", "PUBLISH", "(malformed)"]))
        #expect(said.contains(["mqtt", "DISCONNECT"]))
    }

    @Test(
        "What a packet must not be is malformed",
        arguments: [
            ([0x36, 3, 0, 1, 97], "PUBLISH (malformed)"), ([0x30, 2, 0, 9], "PUBLISH (malformed)"),
            ([0x32, 3, 0, 1, 97], "PUBLISH a (malformed)"), ([0x40, 1, 0], "PUBACK (malformed)"),
            ([0x41, 2, 0, 1], "PUBACK (malformed)"), ([0x82, 6, 0, 1, 0, 1, 97, 3], "SUBSCRIBE #1 a (malformed)"),
            ([0x82, 2, 0, 1], "SUBSCRIBE #1 (malformed)"), ([0x82, 5, 0, 1, 0, 1, 97], "SUBSCRIBE #1 a (malformed)"),
            ([0xC0, 1, 0], "PINGREQ (malformed)"), ([0x20, 1, 0], "CONNACK (malformed)"),
        ] as [([UInt8], String)]
    )
    func malformed(packet: [UInt8], text: String) {
        var flow = DissectionDialogue()
        flow.add(Self.connect + packet + [0xE0, 0], .upstream)
        let end = 30 + packet.count
        #expect(
            flow.take() == [
                "up 0..<30 mqtt: CONNECT 3.1.1 client me user user", "up 30..<\(end) mqtt: \(text)",
                "up \(end)..<\(end + 2) mqtt: DISCONNECT",
            ]
        )
    }

    @Test("Fields have the names that Wireshark gives them, by the version")
    func names() {
        var flow = DissectionDialogue()
        flow.add(Self.connect + Self.subscribe, .upstream)
        flow.add([0x20, 2, 0, 5, 0x90, 3, 0, 1, 1], .downstream)
        #expect(flow.messages[1].fieldLines.last == "mqtt.sub.qos 39..<40 1")
        #expect(flow.messages[2].fieldLines.last == "mqtt.conack.val 3..<4 5")
        #expect(flow.messages[3].fieldLines.last == "mqtt.suback.qos 8..<9 1")
        flow = DissectionDialogue()
        flow.add([0x10, 13, 0, 4] + Array("MQTT".utf8) + [5, 2, 0, 60, 0, 0, 0], .upstream)
        flow.add([0x82, 7, 0, 1, 0, 0, 1, 97, 1], .upstream)
        flow.add([0x20, 3, 0, 0x87, 0, 0x90, 4, 0, 1, 0, 2, 0x40, 3, 0, 7, 0x10, 0xE0, 1, 0x8E], .downstream)
        #expect(
            flow.messages.dropFirst().compactMap(\.fieldLines.last) == [
                "mqtt.subscription_options_qos 23..<24 1", "mqtt.connack.reason_code 3..<4 135",
                "mqtt.suback.reason_code 10..<11 2", "mqtt.puback.reason_code 15..<16 16",
                "mqtt.disconnect.reason_code 18..<19 142",
            ]
        )
    }
}
