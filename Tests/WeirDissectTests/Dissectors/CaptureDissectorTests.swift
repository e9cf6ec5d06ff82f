import Testing
import WeirWire

@testable import WeirDissect

@Suite("Messages of a capture's flows")
struct CaptureDissectorTests {
    private struct Dissected: ~Copyable {
        private var flows = CaptureFlows()
        private var dissector: CaptureDissector

        init(limit: Int) {
            var settings = ReassemblySettings()
            settings.startPatience = 0
            dissector = CaptureDissector(settings, limit: limit)
        }

        mutating func add(_ packet: [UInt8]) -> [String] {
            var said: [String] = []
            let (captured, bytes) = MadePackets.captured(packet)
            flows.add(captured, bytes.span.bytes)
            dissector.add(captured, bytes.span.bytes, in: flows) { said.append(Self.text($0, $1)) }
            return said
        }

        mutating func finish() -> [String] {
            var said: [String] = []
            dissector.finish { said.append(Self.text($0, $1)) }
            return said
        }

        private static func text(_ flow: Int, _ message: Message) -> String {
            "\(flow) \(message.range) \(message.summary.string)\(message.isComplete ? "" : " (incomplete)")"
        }
    }

    private static let begun = Array("*2\r\n$3\r\nGET\r\n".utf8)
    private static let rest = Array("$2\r\nab\r\n".utf8)

    private func segment(_ content: [UInt8], _ number: UInt32 = 1000, client: UInt16, flags: UInt8 = 0x18) -> [UInt8] {
        MadePackets.segment(content, number, client: client, port: 6379, flags: flags)
    }

    @Test("Of more flows than the limit the one that began first says what it has, and is begun anew if it goes on")
    func limit() {
        var dissected = Dissected(limit: 2)
        let said = [
            dissected.add(segment(Self.begun, client: 50_000)), dissected.add(segment(Self.begun, client: 50_001)),
            dissected.add(segment(Self.begun, client: 50_002)), dissected.add(segment(Self.begun, client: 50_003)),
            dissected.add(segment(Self.rest, 1013, client: 50_000)),
            dissected.add(segment(Self.rest, 1013, client: 50_003)),
            dissected.finish(),
        ]
        #expect(
            said == [
                [], [], ["0 0..<13 GET (incomplete)"], ["1 0..<13 GET (incomplete)"],
                ["2 0..<13 GET (incomplete)", "0 0..<8 ab"], ["3 0..<21 GET ab"], [],
            ]
        )
    }

    @Test("Messages of a recorded flow have digests, the same on both legs unless the bytes differ")
    func digests() {
        var flows = CaptureFlows()
        var dissector = CaptureDissector()
        var digests: [Int: [UInt64?]] = [:]
        let (first, second) = (Self.begun + Self.rest, Array("*2\r\n$3\r\nGET\r\n$2\r\nac\r\n".utf8))
        let pieces: [(UInt16, ArraySlice<UInt8>, UInt32)] = [
            (50_000, first[...], 1000), (50_000, second[...], 1021), (50_001, first[..<5], 1000),
            (50_001, first[5...], 1005), (50_001, first[...], 1021), (50_002, first[...], 1000),
        ]
        var known: Set<Int> = []
        for (client, content, number) in pieces {
            let (captured, bytes) = MadePackets.captured(segment(Array(content), number, client: client))
            flows.add(captured, bytes.span.bytes)
            if let place = flows.tcp?.index, known.insert(place).inserted, place < 2 {
                dissector.begin(leg: place, listener: 9000, server: 6379)
            }
            dissector.add(captured, bytes.span.bytes, in: flows) { digests[$0, default: []].append($1.digest) }
        }
        dissector.finish { digests[$0, default: []].append($1.digest) }
        #expect(digests[0]?.count == 2 && digests[1]?.count == 2 && digests[0]?.contains(nil) == false)
        #expect(digests[0]?.first == digests[1]?.first && digests[0]?.last != digests[1]?.last)
        #expect(digests[2] == [nil])
    }

    @Test("What is not whole at the end comes in the order of the flows")
    func finish() {
        var dissected = Dissected(limit: 3)
        for client in UInt16(50_000)..<50_004 { _ = dissected.add(segment(Self.begun, client: client)) }
        let said = dissected.finish()
        #expect(said == (1...3).map { "\($0) 0..<13 GET (incomplete)" })
    }

    @Test("Segments without bytes begin nothing, unless they open or end a flow")
    func empty() {
        for (flags, isBegun) in [(0x10, false), (0x18, false), (0x02, true), (0x11, true), (0x04, true)]
            as [(UInt8, Bool)]
        {
            var dissected = Dissected(limit: 1)
            _ = dissected.add(segment(Self.begun, client: 50_000))
            let said = dissected.add(segment([], client: 50_001, flags: flags))
            #expect(said == (isBegun ? ["0 0..<13 GET (incomplete)"] : []))
        }
    }

    @Test("A FIN ends its direction alone, once all before it has come")
    func end() {
        var dissected = Dissected(limit: 9)
        let head = Array("HTTP/1.0 200 OK\r\n\r\n".utf8)
        func answer(_ content: [UInt8], _ number: UInt32, _ flags: UInt8) -> [UInt8] {
            MadePackets.segment(content, number, flags: flags, isAnswer: true)
        }
        _ = dissected.add(MadePackets.segment(Array("GET / HTTP/1.0\r\n\r\n".utf8), 1000))
        let early = [
            dissected.add(answer(head, 1, 0x18)), dissected.add(answer([7], 21, 0x11)),
            dissected.add(answer([6], 20, 0x18)),
        ]
        let late = dissected.add(answer([], 22, 0x11))
        #expect(early == [[], [], []])
        #expect(late.count == 1 && late.allSatisfy { $0.hasPrefix("0 0..<21 200 OK") && !$0.hasSuffix("(incomplete)") })
    }

    @Test("Empty datagrams are no messages, and each datagram begins at 0")
    func datagrams() {
        var dissected = Dissected(limit: 1)
        let syslog = Array("<13>ab".utf8)
        let said = [
            dissected.add(MadePackets.datagram(syslog, port: 514)),
            dissected.add(MadePackets.datagram([], client: 50_001, port: 514)),
            dissected.add(MadePackets.datagram(syslog, port: 514)),
        ]
        #expect(said == [["0 0..<6 user.notice ab"], [], ["0 0..<6 user.notice ab"]])
    }
}
