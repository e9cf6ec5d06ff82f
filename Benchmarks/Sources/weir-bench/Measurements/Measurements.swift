/// Everything that weir-bench measures, in the order of its tables.
enum Measurements {
    static let all: [any Measurement] =
        [
            StreamMeasurement(streams: 1),
            StreamMeasurement(streams: 8),
            PingMeasurement(connections: 1),
            PingMeasurement(connections: 64),
            ConnectMeasurement(atOnce: 32),
            IdleMemoryMeasurement(flows: 1000),
            IdleMemoryMeasurement(flows: 5000),
            ShowHexMeasurement(),
            LogMeasurement(),
            WatchedPingMeasurement(),
            ShowRateMeasurement(),
            AdminMeasurement(),
            GrowthMeasurement(flows: 1),
            GrowthMeasurement(flows: 10),
            GrowthMeasurement(flows: 100),
            GrowthMeasurement(flows: 1000),
            GrowthMeasurement(flows: 5000),
            DatagramMeasurement(clients: 8, inFlight: 16),
            DatagramMeasurement(clients: 200, inFlight: 1),
            DumpMeasurement(),
            RecordMeasurement(),
            LiveCaptureMeasurement(.udp),
            LiveCaptureMeasurement(.tcp),
            CaptureWriteMeasurement(),
            CaptureReadMeasurement(packetSize: 1024),
            CaptureReadMeasurement(packetSize: 64),
            ShowMeasurement(transport: .udp),
            ShowMeasurement(transport: .tcp),
            GrepMeasurement(.text),
            GrepMeasurement(.hex),
            GrepMeasurement(.regex),
            DissectMeasurement(.pattern),
            DissectMeasurement(.http),
            ShowMessagesMeasurement(),
            PortsMeasurement(source: .capture),
            PortsMeasurement(source: .log),
            SecuredStreamMeasurement(streams: 1),
            SecuredStreamMeasurement(streams: 8),
            HandshakeMeasurement(atOnce: 8),
            SecuredMemoryMeasurement(flows: 1000),
            BurstMeasurement(handshakes: 1000),
        ] + ToxicMeasurement.all + RunMeasurement.all

    /// Chooses measurements by group and by name.
    ///
    /// - Throws: `BenchError.usage` for a name that none of them has, with the names there are.
    static func choose(group: MeasurementGroup?, only names: [String]) throws(BenchError) -> [any Measurement] {
        let candidates = all.filter { group == nil || $0.group == group }
        for name in names where !candidates.contains(where: { $0.name == name }) {
            let known = candidates.map(\.name).joined(separator: ", ")
            throw .usage("there is no measurement \(name) here; there are \(known)")
        }
        return names.isEmpty ? candidates : candidates.filter { names.contains($0.name) }
    }
}
