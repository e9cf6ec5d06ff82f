import ArgumentParser
import FoundationEssentials
import Glibc

/// The client in front of the relays; weir-bench starts it as a child of its own.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Put one load on 127.0.0.1 and print what came of it.",
        shouldDisplay: false
    )

    @Argument(help: "What to do, as LoadKind lists it.")
    var kind: LoadKind

    @Option var port: UInt16
    @Option var plainPort: UInt16 = 0
    @Option var connections = 1
    @Option var seconds = 2.0
    @Option var inFlight = 1
    @Option var rate = 0
    @Option var byteLimit: UInt64 = 0
    @Option var connectionLimit = 20_000
    @Option var threads = 1
    @Option var content = LoadContent.pattern
    @Option var size = Agreed.message
    @Flag var isWatched = false
    @Option var relay: Int32?
    @Option var server: Int32?

    /// The options as the load takes them.
    var settings: LoadSettings {
        var settings = LoadSettings(kind: kind, port: port)
        settings.plainPort = plainPort
        settings.connections = connections
        settings.seconds = seconds
        settings.inFlight = inFlight
        settings.rate = rate
        settings.byteLimit = byteLimit
        settings.connectionLimit = connectionLimit
        settings.threads = threads
        settings.content = content
        settings.size = size
        settings.isWatched = isWatched
        settings.relay = relay
        settings.server = server
        return settings
    }

    func run() throws {
        try DescriptorLimit.raise()
        // Whatever happens to weir-bench, a load ends.
        alarm(UInt32(clamping: Int(seconds) + 120))
        let report = try LoadDriver.run(settings)
        Diagnostics.answer(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}

extension LoadKind: ExpressibleByArgument {}
extension LoadContent: ExpressibleByArgument {}
