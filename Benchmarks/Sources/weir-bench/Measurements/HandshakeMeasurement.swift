/// New connections with TLS on both legs.
struct HandshakeMeasurement: Measurement {
    /// Connections at once.
    let atOnce: Int

    let name = "tls-handshake"
    let title = "Connect, TLS handshake, 64-byte echo, close"
    var group: MeasurementGroup { .tls }
    var metrics: [Metric] { [.rate("handshakes/s"), .processorPerHandshake] }
    var subjects: [Subject] {
        Subject.securing + [Subject(name: "weir --no-processes", peer: Peers.weir, watching: .nobody)]
    }
    var method: String {
        """
        \(Agreement.security) \(atOnce) at once. A relay has two handshakes for each connection; the processor time is that \
        of both, and of the connection. The server closes first. weir looks for the process behind each client, up to \
        2,000 at once and 500 a second; with --no-processes it does not.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.securedConnect, connections: atOnce)
        return Sample(try await bench.measure(load, server: .securedOnce, through: subject))
    }
}
