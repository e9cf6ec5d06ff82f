/// Round trips of 64 bytes.
struct PingMeasurement: Measurement {
    /// Connections at once, each with one ping under way.
    let connections: Int

    var name: String { "ping-\(connections)" }
    var title: String { "64-byte ping-pong on \(connections) connection\(connections == 1 ? "" : "s")" }
    var metrics: [Metric] { [.rate("round trips/s"), .p50, .p99, .p999, .processorPerOperation] }
    var method: String { "Each connection has one ping under way; every echo's number is checked." }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.ping, connections: connections)
        return Sample(try await bench.measure(load, server: .echo, through: subject))
    }
}
