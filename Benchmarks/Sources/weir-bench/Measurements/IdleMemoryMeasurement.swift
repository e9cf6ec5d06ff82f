/// Memory for flows that are open and idle.
struct IdleMemoryMeasurement: Measurement {
    /// Flows that are opened.
    let flows: Int

    var name: String { "memory-\(flows)" }
    var title: String { "Memory for an idle flow, with \(flows) flows" }
    var metrics: [Metric] { [.flowMemory] }
    var subjects: [Subject] { Peers.all.map(Subject.relay) }
    var method: String {
        """
        The proportional resident memory (Pss in /proc/PID/smaps_rollup) of all the relay's processes, after the flows \
        were opened and had 64 bytes echoed, less that before, for each flow; 16 flows were opened and closed before. \
        The kernel's own memory for sockets is not in it.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.hold, connections: flows)
        return Sample(try await bench.measure(load, server: .echo, through: subject))
    }
}
