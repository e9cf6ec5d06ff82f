import ArgumentParser
import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Shows the main job on loopback.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show the main job on loopback: echo servers, a relay, and several clients, in one process.",
        discussion: """
            Three TCP clients and two UDP clients talk to echo servers through a relay. What is printed is what 'weir \
            relay' prints: each flow's four endpoints, every byte both ways, and at the end the ports of the clients \
            with the egress ports that the kernel gave the relay for them. It ends by itself.
            """
    )

    func run() async throws {
        do {
            let servers = try await Supervisor(
                RelayConfiguration(routes: [try Route(echo: "tcp:0"), try Route(echo: "udp:0")])
            )
            let sink = TerminalSink(
                color: isatty(STDOUT_FILENO) == 1 && Terminal.allowsColor,
                localOffset: Terminal.localOffset
            )
            let relay = try await Supervisor(
                RelayConfiguration(
                    routes: servers.listeners.map {
                        Route($0.transport, listen: HostPort(.loopbackByDefault, 0), target: HostPort($0.endpoint))
                    }
                ),
                outputs: [SinkOutput(name: "standard output", sink: sink, descriptor: STDOUT_FILENO)]
            )
            for listener in relay.listeners { Diagnostics.write("listening \(listener)\n") }
            for listener in relay.listeners {
                try talk(listener.transport, to: listener.endpoint, client: 1, of: listener.transport == .tcp ? 3 : 2)
            }
            await relay.stop(grace: .seconds(1))
            await servers.stop(grace: .seconds(1))
        } catch {
            throw Failure(error)
        }
    }

    /// Lets several clients talk at once, so that each one has a port of its own.
    private func talk(_ transport: Transport, to endpoint: Endpoint, client number: Int, of count: Int)
        throws(SystemError)
    {
        guard number <= count else { return }
        let client = try DemoClient(transport, to: endpoint)
        try client.exchange("Hello from \(transport) client \(number)!")
        try talk(transport, to: endpoint, client: number + 1, of: count)
        client.finish()
    }
}
