import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@Suite("The ports of a relay's flows")
struct PortsSinkTests {
    private func path(_ client: UInt16, _ egress: UInt16?) -> FlowPath {
        var path = Playbook.path
        path.client.port = client
        path.egress?.port = egress ?? 0
        if egress == nil { path.egress = nil }
        return path
    }

    @Test("A line has each port's step from the one before")
    func steps() {
        var sink = PortsSink()
        #expect(
            sink.rendered(record(.opened, path: path(36_068, 44_008)))
                .hasSuffix(" #1 tcp ports, client :36068 first, egress :44008 first\n")
        )
        #expect(
            sink.rendered(record(.opened, flow: 2, path: path(36_080, 44_000)))
                .hasSuffix(" #2 tcp ports, client :36080 +12 from :36068, egress :44000 -8 from :44008\n")
        )
    }

    @Test("A further dial has a line of its own, the same one has none")
    func dialedAgain() {
        var sink = PortsSink()
        _ = sink.rendered(record(.opened, path: path(36_068, 44_008)))
        #expect(sink.rendered(record(.refused(.connectionRefused), path: path(36_068, 44_008))).isEmpty)
        #expect(
            sink.rendered(record(.connected(dial: .zero, isRerouted: true), path: path(36_068, 44_010)))
                .hasSuffix(" tcp ports, egress :44010 +2 from :44008\n")
        )
    }

    @Test("A flow without an egress has the client's port alone")
    func noEgress() {
        var sink = PortsSink()
        #expect(sink.rendered(record(.opened, path: path(36_068, nil))).hasSuffix(" client :36068 first\n"))
    }

    @Test("A client that was never connected has no port, and none in the report")
    func noClient() {
        var sink = PortsSink()
        #expect(sink.rendered(record(.opened, path: path(0, 44_008))).hasSuffix(" tcp ports, egress :44008 first\n"))
        #expect(sink.rendered(record(.opened, flow: 2, path: path(0, nil))).isEmpty)
        var report = ByteBuffer()
        sink.finish(into: &report)
        #expect(!report.string.contains("client"), "\(report.string)")
    }

    @Test(
        "The report has clients and relay apart, in a sentence each unless it is to be verbose",
        arguments: [false, true]
    )
    func report(isVerbose: Bool) {
        var sink = PortsSink(isVerbose: isVerbose)
        for flow in UInt16(0)..<20 {
            _ = sink.rendered(record(.opened, flow: UInt64(flow), path: path(40_000 + 2 * flow, 50_000 + 4 * flow)))
        }
        let all = sink.finished().split(separator: "\n")
        let lines = all.filter { !$0.hasPrefix(" ") }
        #expect((all.count == lines.count) == !isVerbose)
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("client ") && lines[0].contains(", to the relay: "))
        #expect(lines[1].hasPrefix("egress ") && lines[1].contains(", from the relay: "))
    }

    @Test("Few ports are too few to tell, in one sentence, and lines can be left out")
    func few() {
        var sink = PortsSink(hasLines: false)
        #expect(sink.rendered(record(.opened, path: path(36_068, 44_008))) == "")
        #expect(
            sink.finished() == """
                client 127.0.0.1 tcp, to the relay: too few to tell, 1 of 8 at least
                egress 127.0.0.1 tcp, from the relay: too few to tell, 1 of 8 at least

                """
        )
    }

    @Test("The last port is kept for 65,536 destinations, and for no further one")
    func manyDestinations() {
        var sink = PortsSink()
        func opened(_ number: UInt32, _ port: UInt16) -> String {
            var path = FlowPath(client: Endpoint(address: .loopbackV4, port: port), listener: Playbook.path.listener)
            path.listener.address = IPAddress(v4: 0x0b00_0000 + number)
            return sink.rendered(record(.opened, path: path))
        }
        for number in UInt32(0)..<65_536 { _ = opened(number, 40_000) }
        #expect(opened(65_535, 40_003).hasSuffix(":40003 +3 from :40000\n"))
        #expect(opened(65_536, 40_000).hasSuffix(":40000 first\n"))
        #expect(opened(65_536, 40_003).hasSuffix(":40003 first\n"))
        #expect(opened(0, 39_995).hasSuffix(":39995 -5 from :40000\n"))
    }
}
