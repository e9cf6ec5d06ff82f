/// Echoes of 64-byte datagrams.
struct DatagramMeasurement: Measurement {
    /// Clients, each with a port of its own.
    let clients: Int
    /// Datagrams under way for each client.
    let inFlight: Int

    let group = MeasurementGroup.udp
    var name: String { "udp-\(clients)x\(inFlight)" }
    var title: String { "UDP, 64-byte echoes, \(clients) clients x \(inFlight) in flight" }
    var metrics: [Metric] { [.rate("echoes/s"), .loss, .processorPerOperation] }
    var subjects: [Subject] { Subject.everyone.filter { $0.peer?.refusal(transport: .udp, flows: 1) == nil } }
    var method: String { "A datagram that is not back after 50 ms counts as lost and is sent again." }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var load = bench.load(.datagrams, connections: clients)
        load.inFlight = inFlight
        return Sample(try await bench.measure(load, server: .datagrams, through: subject))
    }
}
