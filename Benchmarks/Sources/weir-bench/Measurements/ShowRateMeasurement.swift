/// What it costs to show chunks that come at a steady rate: the processor time of the relay for each.
struct ShowRateMeasurement: Measurement {
    /// Chunks a second: two for each round trip.
    private static let chunks = 10_000

    let name = "show-rate"
    let title = "10,000 chunks of 64 bytes a second on 64 connections, shown into a file"
    let metrics: [Metric] = [.processorPerChunk, .rate("round trips/s"), .p50, .p99]
    let method = """
        5,000 round trips a second begin, spread over the connections, whatever the relay takes: what differs is its \
        processor time for each chunk, of which a round trip has two. `--show summary` writes a line for each chunk and \
        message, `--show hex` the bytes too; `weir` alone shows nothing. The file is in TMPDIR (/tmp).
        """
    var subjects: [Subject] {
        [
            .relay(Peers.weir),
            Subject(name: "weir --show summary", peer: Peers.weir, watching: .lines),
            Subject(name: "weir --show hex", peer: Peers.weir, watching: .dump),
            Subject(name: "socat -x", peer: Peers.socat, watching: .dump),
        ]
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var load = bench.load(.ping, connections: 64)
        load.rate = Self.chunks / 2
        var sample = Sample(try await bench.measure(load, server: .echo, through: subject))
        sample.values[Metric.processorPerChunk.key] = sample.values[Metric.processorPerOperation.key].map { $0 / 2 }
        return sample
    }
}
