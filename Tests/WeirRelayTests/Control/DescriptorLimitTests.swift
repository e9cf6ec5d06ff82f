import Testing
import WeirWire

@testable import WeirRelay

@Suite("Descriptor limit")
struct DescriptorLimitTests {
    private static func configuration(_ routes: String..., flows: Int, sessions: Int) throws -> RelayConfiguration {
        var configuration = RelayConfiguration(routes: try routes.map { text throws in try Route(echo: text) })
        configuration.maxFlows = flows
        configuration.maxSessions = sessions
        return configuration
    }

    @Test("Gives what was asked for where it fits")
    func fits() throws {
        let configuration = try Self.configuration("tcp:0", "udp:0", flows: 100, sessions: 100)
        #expect(DescriptorLimit.share(364, for: configuration) == Limits(tcpFlows: 100, udpSessions: 100))
    }

    @Test(
        "Never promises more than there is, and gives each kind its share",
        arguments: [363, 1024, 4096, 20_000, 1 << 20],
        [(1, 1), (10_000, 10_000), (10_000, 1), (1, 10_000), (1 << 40, 1 << 40)]
    )
    func shares(descriptors: Int, wanted: (flows: Int, sessions: Int)) throws {
        let configuration = try Self.configuration("tcp:0", "udp:0", flows: wanted.flows, sessions: wanted.sessions)
        let limits = DescriptorLimit.share(descriptors, for: configuration)
        #expect(limits.tcpFlows >= 1 && limits.tcpFlows <= wanted.flows)
        #expect(limits.udpSessions >= 1 && limits.udpSessions <= wanted.sessions)
        let reserve = DescriptorLimit.reserve(of: descriptors, for: configuration)
        #expect(2 * limits.tcpFlows + limits.udpSessions <= descriptors - reserve + 2)
    }

    @Test("Counts only the kinds that are served")
    func kinds() throws {
        let tcp = try Self.configuration("tcp:0", flows: 10_000, sessions: 10_000)
        #expect(DescriptorLimit.share(1064, for: tcp) == Limits(tcpFlows: 500, udpSessions: 10_000))
        let udp = try Self.configuration("udp:0", flows: 10_000, sessions: 10_000)
        #expect(DescriptorLimit.share(1064, for: udp) == Limits(tcpFlows: 10_000, udpSessions: 1000))
    }

    @Test("A transport for which routes may only come later takes no more than half from the one that is there")
    func laterRoutes() throws {
        var tcp = try Self.configuration("tcp:0", flows: 1000, sessions: 65_536)
        tcp.takesRoutes = true
        let room = 464 - DescriptorLimit.reserve(of: 464, for: tcp)
        let limits = Limits(tcpFlows: 1000 * room / 4000, udpSessions: 2000 * room / 4000)
        #expect(DescriptorLimit.share(464, for: tcp) == limits && limits.tcpFlows > 50)
        #expect(DescriptorLimit.share(1 << 20, for: tcp) == Limits(tcpFlows: 1000, udpSessions: 65_536))
        // There is room for as much as the other one has.
        #expect(DescriptorLimit.share(5000, for: tcp) == Limits(tcpFlows: 1000, udpSessions: 2000))
        var udp = try Self.configuration("udp:0", flows: 65_536, sessions: 1000)
        udp.takesRoutes = true
        let rest = 964 - DescriptorLimit.reserve(of: 964, for: udp)
        #expect(
            DescriptorLimit.share(964, for: udp) == Limits(tcpFlows: 500 * rest / 2000, udpSessions: 1000 * rest / 2000)
        )
    }

    @Test("Where there is room for three descriptors, there is one flow of each kind")
    func least() throws {
        for (flows, sessions) in [(10, 10), (100, 1), (1, 100)] {
            let configuration = try Self.configuration("tcp:0", "udp:0", flows: flows, sessions: sessions)
            let limits = DescriptorLimit.share(29, for: configuration)
            #expect(limits.tcpFlows == 1 && limits.udpSessions == (sessions == 100 ? 2 : 1), "\(limits)")
        }
    }

    @Test("Few descriptors still serve someone", arguments: [29, 34, 64, 65, 70])
    func few(descriptors: Int) throws {
        let configuration = try Self.configuration("tcp:0", "udp:0", flows: 10, sessions: 10)
        let limits = DescriptorLimit.share(descriptors, for: configuration)
        #expect(limits.tcpFlows >= 1 && limits.udpSessions >= 1)
    }

    @Test("Too few descriptors serve nobody", arguments: [0, 1, 16, 28])
    func tooFew(descriptors: Int) throws {
        let configuration = try Self.configuration("tcp:0", "udp:0", flows: 10, sessions: 10)
        #expect(DescriptorLimit.share(descriptors, for: configuration) == Limits(tcpFlows: 0, udpSessions: 0))
    }

    @Test("A low limit still serves as many as fit")
    func low() throws {
        let configuration = try Self.configuration("tcp:0", flows: 10_000, sessions: 1)
        #expect(DescriptorLimit.share(64, for: configuration).tcpFlows == 20)
    }

    @Test("Keeps a descriptor for each UDP socket of each loop", arguments: [1, 16, 64])
    func manyLoops(threads: Int) throws {
        var configuration = try Self.configuration("udp:*:0", "udp:*:0", flows: 1, sessions: 10)
        configuration.threads = threads
        // Two routes with two addresses each, and an epoll and a mailbox for each loop.
        #expect(DescriptorLimit.reserve(of: 1024, for: configuration) >= threads * (4 + 2) + 10)
    }

    @Test("Raises the limit to what is allowed")
    func raise() {
        let limit = DescriptorLimit.raise()
        #expect(limit >= 64)
        #expect(DescriptorLimit.raise() == limit)
    }

    @Test(
        "What is kept for listeners and loops is 64, or what they need, or less of few descriptors",
        arguments: [
            (1024, 1, false, ["tcp:0"], 64), (512, 1, false, ["tcp:0"], 64), (504, 1, false, ["tcp:0"], 63),
            (80, 1, false, ["tcp:0"], 24), (80, 1, false, ["udp:0"], 24), (80, 3, false, ["tcp:0"], 28),
            (80, 3, false, ["udp:0"], 32), (80, 2, false, ["tcp:0", "udp:0"], 30), (80, 1, true, ["tcp:0"], 44),
            (4000, 1, true, ["tcp:0"], 424), (1600, 1, true, [], 422), (1200, 1, true, [], 322), (0, 1, true, [], 22),
        ]
    )
    func reserves(descriptors: Int, threads: Int, takesRoutes: Bool, routes: [String], expected: Int) throws {
        var configuration = RelayConfiguration(routes: try routes.map { try Route(echo: $0) })
        (configuration.threads, configuration.takesRoutes) = (threads, takesRoutes)
        #expect(DescriptorLimit.reserve(of: descriptors, for: configuration) == expected)
    }
}
