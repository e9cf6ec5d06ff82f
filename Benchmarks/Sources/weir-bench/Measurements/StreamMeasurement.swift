/// TCP streams in one direction.
struct StreamMeasurement: Measurement {
    /// Streams at once.
    let streams: Int

    var name: String { "stream-\(streams)" }
    var title: String { streams == 1 ? "One TCP stream" : "\(streams) TCP streams" }
    var metrics: [Metric] { [.throughput, .processorPerGigabyte] }
    var method: String {
        """
        The client sends in pieces of 256 KiB for the time of a run; the clock stops when the server has got the last \
        byte and has said how many came, which must be all. The server has the kernel throw the bytes away (MSG_TRUNC).
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.stream, connections: streams)
        return Sample(try await bench.measure(load, server: .sink, through: subject))
    }
}
