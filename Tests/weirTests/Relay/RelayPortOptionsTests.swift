import ArgumentParser
import Testing
import WeirEngine
import WeirRelay
import WeirSinks

@testable import weir

@Suite("The options for a relay's ports")
struct RelayPortOptionsTests {
    private static func applied(_ arguments: [String]) throws -> (RelayConfiguration, FlowDetails) {
        var configuration = RelayConfiguration(routes: [try Route(parsing: "tcp:0=127.0.0.1:9")])
        let details = try RelayPortOptions.parse(arguments).apply(to: &configuration)
        return (configuration, details)
    }

    @Test("Processes are looked for, unless that is turned off")
    func processes() throws {
        let (with, details) = try Self.applied([])
        #expect(with.processes != nil && details.process != nil)
        let (without, none) = try Self.applied(["--no-processes"])
        #expect(without.processes == nil && none.process == nil)
    }

    @Test("The egress port is that of the relay, and of what is shown", arguments: [[], ["--egress-port", "same"]])
    func egress(arguments: [String]) throws {
        let expected = arguments.isEmpty ? EgressPort.kernel : .same
        for option in [[], ["--no-processes"]] {
            let (configuration, details) = try Self.applied(arguments + option)
            #expect(configuration.egressPort == expected && details.egressPort == expected)
            #expect(details.hostPorts == HostPorts.range())
        }
    }

    @Test("A choice that is none is refused")
    func parses() throws {
        for text in ["", "0-9", "9-1", "no"] {
            #expect(refusal(RelayPortOptions.self, ["--egress-port", text]) != nil)
        }
        let usual = try RelayPortOptions.parse([])
        #expect(!usual.noProcesses && usual.egressPort == .kernel)
    }
}
