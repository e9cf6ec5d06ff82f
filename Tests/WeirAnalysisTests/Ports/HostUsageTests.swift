import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@Suite("How full a host's range of ports is")
struct HostUsageTests {
    private static let range = PortRange(40_000, 40_099)

    private func socket(
        _ port: UInt16,
        to server: UInt16 = 80,
        _ state: HostSocket.State = .established,
        _ transport: Transport = .tcp
    ) -> HostSocket {
        HostSocket(
            transport: transport,
            local: Endpoint(address: .loopbackV4, port: port),
            remote: Endpoint(address: IPAddress(v4: 0x0a00_0001), port: server),
            state: state
        )
    }

    @Test("Ports count for their destination alone, and one outside of the range for none")
    func destinations() {
        let sockets = [
            socket(40_000), socket(40_002), socket(40_003, to: 80, .timeWait), socket(40_000, to: 443), socket(9000),
            socket(40_004, to: 0, .listen), socket(40_004, to: 5000), socket(40_050, to: 53, .established, .udp),
        ]
        let usage = HostUsage(sockets, range: Self.range, reserved: [PortRange(40_010, 40_019), PortRange(1, 2)])
        #expect(usage.reserved == 10 && usage.usable == 90 && usage.cliff == 45)
        #expect(usage.destinations.map(\.ports) == [3, 1])
        #expect(usage.destinations[0].timeWait == 1 && usage.destinations[0].firstParity == 2)
        // What a listener accepted was not chosen here.
        #expect(!usage.destinations.contains { $0.server.port == 5000 })
        #expect(usage.portsInUse == [.tcp: 4, .udp: 1])
        #expect(usage.states[.tcp]?[.timeWait] == 1)
    }

    @Test("Rates say when the cliff comes, and the end")
    func rates() throws {
        let before = HostUsage((0..<10).map { socket(40_000 + $0) }, range: Self.range)
        let after = HostUsage((5..<25).map { socket(40_000 + $0) }, range: Self.range, before: before, seconds: 2)
        let destination = try #require(after.destinations.first)
        #expect(destination.new == 15 && destination.rate == 7.5 && destination.growth == 5)
        #expect(after.seconds(until: after.cliff, destination) == 6)
        #expect(after.seconds(until: after.usable, destination) == 16)
    }

    @Test("A destination that does not grow never gets there, and one past the cliff is said to be")
    func steady() throws {
        let sockets = (0..<60).map { socket(40_000 + $0) }
        let before = HostUsage(sockets, range: Self.range)
        let usage = HostUsage(sockets, range: Self.range, before: before, seconds: 1)
        let destination = try #require(usage.destinations.first)
        #expect(usage.seconds(until: usage.usable, destination) == nil)
        #expect(usage.seconds(until: usage.cliff, destination) == 0)
        var output = ByteBuffer()
        HostUsageText.append(usage, to: &output)
        #expect(output.string.contains("127.0.0.1 -> 10.0.0.1:80: 60 ports, 60%"))
        #expect(output.string.contains("PAST THE CLIFF"))
    }

    @Test("Of more destinations than there is room for the fullest are shown, and the others counted")
    func room() {
        let usage = HostUsage([socket(40_000), socket(40_002), socket(40_004, to: 443)], range: Self.range)
        var output = ByteBuffer()
        HostUsageText.append(usage, destinations: 1, to: &output)
        let lines = output.string.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[1] == "tcp: 3 ports in use, 3%: ESTAB 3")
        #expect(lines[3].hasPrefix("127.0.0.1 -> 10.0.0.1:80: 2 ports, 2%"))
        #expect(lines[4] == "1 destination more")
    }
}
