public import ArgumentParser
public import WeirEngine
import WeirRelay
import WeirSinks

extension EgressPort: ExpressibleByArgument {
    /// Parses `kernel`, `same` or `LOW-HIGH`.
    public init?(argument: String) { self.init(argument) }
}

/// The options for a relay's ports: those to dial from, and the search for clients' processes.
struct RelayPortOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Dial servers from: kernel (its choice), same (the client's port number where it is free) or LOW-HIGH.",
            valueName: "port"
        )
    )
    var egressPort = EgressPort.kernel

    @Flag(help: "Do not look for the processes behind clients of this machine.")
    var noProcesses = false

    /// Applies the options to a configuration, and returns the details for sinks.
    func apply(to configuration: inout RelayConfiguration) throws -> FlowDetails {
        try egressPort.check()
        configuration.egressPort = egressPort
        let names = configuration.names
        var details = FlowDetails(egressPort: egressPort, hostPorts: HostPorts.range()) { names.names(of: $0).first }
        guard !noProcesses else { return details }
        do throws(SystemError) {
            configuration.processes = try ClientProcesses()
        } catch {
            Diagnostics.print("the processes behind clients are not looked for: \(error)")
        }
        details.process = configuration.processes?.lookup
        return details
    }
}
