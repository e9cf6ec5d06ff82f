/// Memory for flows with TLS on both legs that are open and idle.
struct SecuredMemoryMeasurement: Measurement {
    /// Flows that are opened.
    let flows: Int

    var name: String { "tls-memory" }
    var title: String { "Memory for an idle flow over TLS, with \(flows) flows" }
    var group: MeasurementGroup { .tls }
    var metrics: [Metric] { [.flowMemory] }
    var subjects: [Subject] { Peers.securing.map(Subject.relay) }
    var method: String { "\(Agreement.security) \(IdleMemoryMeasurement(flows: flows).method)" }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.securedHold, connections: flows)
        return Sample(try await bench.measure(load, server: .securedEcho, through: subject))
    }
}
