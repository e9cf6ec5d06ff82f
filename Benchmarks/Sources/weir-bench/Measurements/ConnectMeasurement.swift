/// New connections.
struct ConnectMeasurement: Measurement {
    /// Connections at once.
    let atOnce: Int

    var name: String { "connect" }
    var title: String { "Connect, 64-byte echo, close" }
    var metrics: [Metric] { [.rate("connections/s"), .processorPerOperation] }
    var subjects: [Subject] {
        Subject.everyone + [Subject(name: "weir --no-processes", peer: Peers.weir, watching: .nobody)]
    }
    var method: String {
        """
        \(atOnce) at once, at most 20,000 in a run. The server closes first, after its echo, so that TIME_WAIT stays \
        on the listening sides and neither the client nor the relay runs out of ephemeral ports: the same for all. weir \
        looks for the process behind each client, up to 2,000 at once and 500 a second; with --no-processes it does not.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.connect, connections: atOnce)
        return Sample(try await bench.measure(load, server: .once, through: subject))
    }
}
