import ArgumentParser

/// Measures Weir side by side with what a user would pick instead.
@main
struct WeirBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir-bench",
        abstract: "Measure Weir side by side with its peers, on this machine, in one run.",
        discussion: """
            Prints Markdown on standard output and its progress on standard error. Load goes to 127.0.0.1 only. Ends \
            with 1 when some subject failed; one that is not installed is shown as absent and does not count.
            """,
        subcommands: [
            RelayCommand.self, UDPCommand.self, HexdumpCommand.self, RecordCommand.self, LiveCaptureCommand.self,
            PcapCommand.self, ShowCommand.self, DissectCommand.self, PortsCommand.self, ToxicsCommand.self,
            RunCommand.self, TLSCommand.self, AllCommand.self, SoakCommand.self, ServeCommand.self, LoadCommand.self,
            RenderCommand.self,
            ReadCaptureCommand.self, WriteCaptureCommand.self, WriteFlowsCommand.self, WritePortsCommand.self,
            SoakWorkerCommand.self,
        ]
    )
}
