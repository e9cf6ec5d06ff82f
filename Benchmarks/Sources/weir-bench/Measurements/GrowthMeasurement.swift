/// TCP streams in one direction on more and more flows.
struct GrowthMeasurement: Measurement {
    /// Flows at once, all of them sending.
    let flows: Int

    var name: String { "flows-\(flows)" }
    var title: String { "Throughput on \(flows) flow\(flows == 1 ? "" : "s")" }
    var metrics: [Metric] { [.throughput, .processorPerGigabyte] }
    var growth: Growth? { Growth(title: "How cost grows with the number of flows", size: flows) }
    var method: String {
        """
        As for streams; from 100 flows on, the client and the server set the queues of their sockets to 128 KiB, so \
        that the kernel's memory for TCP is not what is measured.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.stream, connections: flows)
        return Sample(try await bench.measure(load, server: .sink, through: subject))
    }
}
