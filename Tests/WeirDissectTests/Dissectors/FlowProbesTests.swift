import Testing
import WeirWire

@testable import WeirDissect

@Suite("What the first packets of a flow tell of it")
struct FlowProbesTests {
    private struct Probed: ~Copyable {
        private var flows = CaptureFlows()
        private var probes = FlowProbes()

        /// Adds a packet, of which so many bytes were captured; returns whether its flow is looked at any more.
        mutating func add(_ packet: [UInt8], captured count: Int? = nil) -> Bool {
            let (captured, bytes) = MadePackets.captured(packet, first: count)
            flows.add(captured, bytes.span.bytes)
            probes.add(captured, bytes.span.bytes, in: flows)
            return probes.wants(flows.tcp, flows.udp, flows.innerUDP)
        }

        mutating func finish() { probes.finish() }

        func found(_ flow: Int = 0) -> FlowProbes.Found? { probes.found(flow) }
    }

    private static let head = (first: Array("GET /a HTTP/1.1\r\nHo".utf8), rest: Array("st: a.example\r\n\r\n".utf8))
    private static let ping = Array("*1\r\n$4\r\nPING\r\n".utf8)

    private func found(_ packets: [[UInt8]]) -> (wants: [Bool], found: FlowProbes.Found?) {
        var probed = Probed()
        let wants = packets.map { probed.add($0) }
        let found = probed.found()
        return (wants, found)
    }

    private static let example = FlowProbes.Found(name: "http", findings: [.host: "a.example"])

    @Test("A flow is known once a finding is, and not looked at any more")
    func finding() {
        let (wants, found) = found([
            MadePackets.segment(Self.head.first, 1000), MadePackets.segment(Self.head.rest, 1019),
            MadePackets.segment([1], 1036),
        ])
        #expect(wants == [true, false, false])
        #expect(found == Self.example)
    }

    @Test("Bytes that do not follow those before are left out: others, and those that came before")
    func order() {
        let (wants, found) = found([
            MadePackets.segment([], 999, flags: 2), MadePackets.segment([9], 1001),
            MadePackets.segment(Self.head.first, 1000), MadePackets.segment([9, 9], 1018),
            MadePackets.segment(Self.head.first, 1000), MadePackets.segment(Self.head.rest, 1019),
        ])
        #expect(wants == [true, true, true, true, true, false])
        #expect(found == Self.example)
    }

    @Test("Each direction follows its own numbers")
    func directions() {
        let (wants, found) = found([
            MadePackets.segment(Self.head.first, 1000),
            MadePackets.segment(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), 1, isAnswer: true),
            MadePackets.segment([9], 1000, isAnswer: true), MadePackets.segment(Self.head.rest, 1019),
        ])
        #expect(wants == [true, true, true, false])
        #expect(found == Self.example)
    }

    @Test("A flow whose client is seen late is looked at anew")
    func turned() {
        let (wants, found) = found([
            MadePackets.segment([9], 77, isAnswer: true), MadePackets.segment([], 999, flags: 2),
            MadePackets.segment(Self.head.first, 1000), MadePackets.segment(Self.head.rest, 1019),
        ])
        #expect(wants == [true, true, true, false])
        #expect(found == Self.example)
    }

    @Test("What the capture cut off is a gap, behind which the flow is looked at again")
    func cut() {
        var probed = Probed()
        let first = probed.add(
            MadePackets.segment(Array("GE".utf8) + [UInt8](repeating: 9, count: 18), 1000),
            captured: 42
        )
        let second = probed.add(MadePackets.segment(Self.head.first + Self.head.rest, 1020))
        let found = probed.found()
        #expect(first && !second)
        #expect(found == Self.example)
    }

    @Test("Four messages tell enough of a flow without a finding")
    func messages() {
        let (wants, found) = found(
            (0..<4).map { MadePackets.segment(Self.ping, 1000 + UInt32($0) * 14, port: 6379) }
        )
        #expect(wants == [true, true, true, false])
        #expect(found == FlowProbes.Found(name: "redis"))
    }

    @Test("After 24 segments that are nothing, 46 more that do not follow, or 48 datagrams, no more is looked at")
    func limits() {
        let inOrder = found((0..<25).map { MadePackets.segment([0xff], 1000 + UInt32($0), port: 4000) })
        #expect(inOrder.wants == [Bool](repeating: true, count: 23) + [false, false])
        let others = found((0..<48).map { MadePackets.segment([0xff], 1000 + 9 * UInt32($0), port: 4000) })
        #expect(others.wants == [Bool](repeating: true, count: 46) + [false, false])
        let datagrams = found((0..<49).map { _ in MadePackets.datagram([0xff], port: 4000) })
        #expect(datagrams.wants == [Bool](repeating: true, count: 47) + [false, false])
        #expect(inOrder.found == nil && others.found == nil && datagrams.found == nil)
        // A segment without bytes is not counted.
        let empty = found((0..<60).map { _ in MadePackets.segment([], 1000, flags: 0x10) })
        #expect(empty.wants == [Bool](repeating: true, count: 60))
    }

    @Test("What is known of the other flows is said at the end, each for itself")
    func finish() {
        var probed = Probed()
        for client in [50_000, 50_001, 50_002] as [UInt16] {
            let content = client == 50_001 ? [0xff] : Self.ping
            _ = probed.add(MadePackets.segment(content, 1000, client: client, port: 6379))
        }
        let before = [0, 1, 2].map { probed.found($0) }
        probed.finish()
        let after = [0, 1, 2].map { probed.found($0)?.name }
        #expect(before == [nil, nil, nil])
        #expect(after == ["redis", nil, "redis"])
    }
}
