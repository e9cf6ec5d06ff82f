import WeirDissect
import WeirEngine
import WeirWire

/// The processes of a watched program's flows: they are known from its calls, so none is searched for.
final class WatchedProcesses: Sendable {
    private struct Key: Hashable {
        var transport: Transport
        var client: Endpoint
    }

    private struct State {
        /// The process of each client whose flow has not begun, and of each UDP client.
        var clients: [Key: ClientProcess] = [:]
        var answers = RecentAnswers<ClientProcess>(kept: WatchedProcesses.kept)
        /// The flows whose clients were not allowed to connect.
        var denied = RecentAnswers<Bool>(kept: WatchedProcesses.kept)
    }

    /// The port of DNS.
    static let nameServerPort: UInt16 = 53
    private static let kept = 1 << 15
    private let state = Lock(State())

    /// Notes the process of a client that is about to have a flow.
    func note(_ transport: Transport, _ client: Endpoint, _ process: ClientProcess) {
        state.withLock { state in
            if state.clients.count >= Self.kept { state.clients.removeAll() }
            state.clients[Key(transport: transport, client: client)] = process
        }
    }

    /// Gives a new flow, whose dial has failed, its process.
    func begin(_ flow: FlowID, _ failed: FailedDial) {
        state.withLock { state in
            if let process = failed.process { state.answers[flow] = process }
            if failed.isDenied { state.denied[flow] = true }
        }
    }

    /// Returns whether a flow's client was not allowed to connect.
    func isDenied(_ flow: FlowID) -> Bool { state.withLock { $0.denied[flow] ?? false } }

    /// Gives a new flow the process of its client.
    func begin(_ flow: FlowID, _ transport: Transport, client: Endpoint) {
        state.withLock { state in
            let key = Key(transport: transport, client: client)
            guard let process = transport == .tcp ? state.clients.removeValue(forKey: key) : state.clients[key] else {
                return
            }
            state.answers[flow] = process
        }
    }

    /// Learns the names of addresses from a DNS answer, as the program gets it.
    func read(_ datagram: UnsafeRawBufferPointer, from server: Endpoint, to names: ResolvedNames) {
        guard server.port == Self.nameServerPort, let answers = DNSAnswers(datagram.bytes) else { return }
        names.add(answers.name, answers.addresses.map { Endpoint(address: $0, port: 0) })
    }

    /// Returns the process of a flow's client.
    func answer(_ flow: FlowID) -> ProcessAnswer {
        state.withLock { $0.answers[flow].map { .found($0) } ?? .unknown }
    }
}
