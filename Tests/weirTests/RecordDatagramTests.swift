import Support
import Testing
import WeirWire

@Suite("What tshark reads of recorded datagrams", .serialized, .tags(.network, .capture), .timeLimit(.minutes(2)))
struct RecordDatagramTests {
    /// Has datagrams of some sizes echoed through a relay; returns what tshark says of each packet.
    private func echo(_ sizes: [Int], at endpoint: Endpoint, threads: Int) async throws {
        let server = try UDPPeer(at: endpoint)
        let relay = try RecordedRelay(try server.route, threads: threads)
        let client = try UDPPeer(to: relay.endpoint)
        let echoing = try Background { try server.echo(sizes.count) }
        let datagrams = sizes.map { Pattern.bytes($0) }
        for datagram in datagrams {
            try client.send(datagram)
            #expect(try client.receive().bytes == datagram)
        }
        try echoing.value()
        let capture = try await relay.finish()
        let ways = ["client up", "server up", "server down", "client down"]
        #expect(capture.lines == sizes.flatMap { size in ways.map { "\($0) datagram (\(size))" } })
        #expect(capture.packets.map(\.payload) == datagrams.flatMap { [$0, $0, $0, $0] })
        let lengths = try Tshark.fields(relay.path, ["udp.length", "udp.checksum.status"])
        #expect(lengths == sizes.flatMap { size in Array(repeating: ["\(size + 8)", "1"], count: 4) })
        let all = Array(datagrams.joined())
        if !all.isEmpty { try relay.expectStreams("udp", up: all, down: all) }
    }

    @Test("Empty, short, and the longest, over IPv4", .needsProgram("tshark"), arguments: [1, 2])
    func ipv4(threads: Int) async throws {
        try await echo([0, 1, 1472, 0, 65_507], at: .anyPortV4, threads: threads)
    }

    @Test("Empty, short, and the longest, over IPv6", .needsProgram("tshark"), .needsIPv6, arguments: [1, 2])
    func ipv6(threads: Int) async throws {
        try await echo([0, 1, 65_507, 65_527], at: Endpoint(address: .loopbackV6, port: 0), threads: threads)
    }
}
