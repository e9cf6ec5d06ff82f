import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Relay configuration")
struct RelayConfigurationTests {
    @Test(
        "A flow has the time-outs of its transport, and looks for echoes where somebody wants them",
        arguments: [true, false],
        [true, false]
    )
    func settings(showsEchoes: Bool, expectsEcho: Bool) {
        var configuration = RelayConfiguration(routes: [])
        configuration.connectTimeout = .seconds(3)
        configuration.idleTimeout = .seconds(4)
        configuration.udpTimeout = .seconds(5)
        configuration.echoWindow = 77
        configuration.expectsEcho = expectsEcho
        for (transport, idle) in [(Transport.tcp, Duration.seconds(4)), (.udp, .seconds(5))] {
            for records in [true, false] {
                let settings = configuration.settings(for: transport, recordsChunks: records, showsEchoes: showsEchoes)
                #expect(settings.connectTimeout == .seconds(3) && settings.idleTimeout == idle)
                #expect(settings.echoWindow == (showsEchoes || expectsEcho ? 77 : 0))
                #expect(settings.expectsEcho == expectsEcho && settings.recordsChunks == records)
            }
        }
    }

    @Test("Without changes it is the documented one")
    func defaults() {
        let usual = RelayConfiguration(routes: [])
        #expect(usual.threads == 1 && usual.seed == 0 && usual.maxFlows == 10_000 && usual.maxSessions == 10_000)
        #expect(usual.sinkBound == 67_108_864 && usual.receiveBuffer == 4_194_304 && usual.echoWindow == 1_048_576)
        #expect(usual.connectTimeout == .seconds(10) && usual.nameLifetime == .seconds(30))
        #expect(usual.keepalive == .seconds(60) && usual.idleTimeout == nil && usual.udpTimeout == .seconds(60))
    }

    @Test("Each route has its toxics, and one that is not there can have none")
    func toxics() throws {
        var configuration = RelayConfiguration(routes: [try Route(echo: "tcp:0"), try Route(echo: "udp:0")])
        configuration.toxics = [1: [ToxicConfiguration("noop", name: "n")]]
        #expect(try configuration.toxicSets().map { $0.configurations.map(\.name) } == [[], ["n"]])
        for route in [-1, 2] {
            var wrong = RelayConfiguration(routes: configuration.routes)
            wrong.toxics = [route: []]
            let other = wrong
            #expect(throws: ToxicError.unknownRoute(route)) { try other.toxicSets() }
        }
    }
}
