import ArgumentParser
import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// The option for which records are shown.
struct OnlyOptions: ParsableArguments {
    @Option(
        name: .customLong("only"),
        help: ArgumentHelp(
            "Show on the terminal and write into --log only what fits a query of weir show --where: flows, chunks and "
                + "messages (a request if its answer fits, too). Captures and the API's events have everything. A flow's "
                + "first line is shown with the first that fits; what only its end tells (close, duration) shows its first "
                + "and last lines.",
            valueName: "query"
        )
    )
    var text: String?

    /// Reads the query; nil if none was given.
    ///
    /// - Parameter findsProcesses: Whether the relay looks for the clients' processes.
    /// - Returns: The query.
    /// - Throws: `Failure` with 64 if it is wrong, or asks for what a relay does not know.
    func query(findsProcesses: Bool) throws(Failure) -> FlowQuery? {
        guard let text else { return nil }
        let query: FlowQuery
        do throws(FlowQueryError) {
            query = try FlowQuery(parsing: text)
        } catch {
            throw Failure(.usage, "--only: \(error.explanation)")
        }
        if query.needs.contains(.packets) {
            throw Failure(.usage, "--only: a relay sees no packets; ask for bytes, bytes_up or bytes_down")
        }
        if query.needs.contains(.process), !findsProcesses {
            throw Failure(.usage, "--only: 'process' needs the search for processes, which --no-processes turns off")
        }
        return query
    }
}

/// The names of the routes of a relay that is about to start.
final class RouteNames: Sendable {
    private let relay = Lock<Supervisor?>(nil)

    /// Notes the relay, once it serves.
    func serve(_ relay: Supervisor) { self.relay.withLock { $0 = relay } }

    /// Returns the name of the route that listens at an endpoint; before the relay is noted, the one that it will give.
    func name(_ transport: Transport, _ listener: Endpoint) -> String? {
        guard let relay = relay.withLock({ $0 }) else { return "\(transport)-\(listener.port)" }
        return relay.routes.first { $0.listens(at: listener, transport) }?.name
    }
}

extension RouteStatus {
    /// Returns whether clients reach the route at an endpoint.
    fileprivate func listens(at listener: Endpoint, _ transport: Transport) -> Bool {
        route.transport == transport
            && endpoints.contains { own in
                own.port == listener.port && (own.address == listener.address || own.address.isUnspecified)
            }
    }
}
