/// Relaying while the control API is called.
struct AdminMeasurement: Measurement {
    let name = "admin"
    let title = "One TCP stream while the control API is called"
    let method = """
        As for one stream. The calls come over four connections, 250 a second over each at an even pace, and ask in turn \
        for the metrics, the proxies, the flows and the health. Whoever calls takes its time from the cores that client, server and \
        relay share. So that only what the calls cost the relay is compared, the same calls are made in every row but the \
        first: to a stand-in that sends ready answers of the same sizes; to a second weir that relays nothing; to the relay. \
        The row of the stand-in is the one that the others are compared with.
        """
    let metrics: [Metric] = [
        .throughput, .processorPerGigabyte, Metric(key: Self.key, heading: "calls/s", isCompared: false),
    ]
    let compared = Callee.standIn.rawValue
    private static let key = "calls_per_second"
    private static let callsPerSecond = 1000
    private static let callers = 4

    /// Says who answers the calls.
    private enum Callee: String, CaseIterable {
        case nobody = "weir --admin, no calls"
        case standIn = "weir --admin, the calls to a stand-in"
        case other = "weir --admin, the calls to an idle weir"
        case relay = "weir --admin, the calls to it"
    }

    var subjects: [Subject] {
        Callee.allCases.map { Subject(name: $0.rawValue, peer: Peers.weir, watching: .admin(0)) }
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let port = try FreePort.find(.tcp)
        var relay = subject
        relay.watching = .admin(port)
        switch Callee(rawValue: subject.name) {
        case .nobody, nil: return try await measure(relay, in: bench)
        case .relay: return try await measure(relay, in: bench, calling: port)
        case .standIn:
            let standIn = try AdminStandIn()
            let threads = try (0..<Self.callers).map { _ in try WorkerThread { standIn.run() } }
            defer { for thread in threads { thread.join() } }
            defer { standIn.stop() }
            return try await measure(relay, in: bench, calling: standIn.port)
        case .other:
            let other = try FreePort.find(.tcp)
            let request = RelayRequest(
                transport: .tcp,
                serverPort: try FreePort.find(.tcp),
                workers: bench.settings.workers,
                flows: 1,
                watching: .admin(other),
                folder: try bench.folder.subfolder().path
            )
            return try await bench.withRelay(Peers.weir, request) { [relay] _ in
                try await measure(relay, in: bench, calling: other)
            }
        }
    }

    private func measure(_ relay: Subject, in bench: Bench) async throws -> Sample {
        Sample(try await bench.measure(bench.load(.stream), server: .sink, through: relay))
    }

    private func measure(_ relay: Subject, in bench: Bench, calling port: UInt16) async throws -> Sample {
        let callers = (0..<Self.callers).map { _ in
            AdminCaller(port: port, callsPerSecond: Self.callsPerSecond / Self.callers)
        }
        let threads = try callers.map { caller in try WorkerThread { caller.run() } }
        defer { for thread in threads { thread.join() } }
        defer { for caller in callers { caller.stop() } }
        var sample = try await measure(relay, in: bench)
        sample.values[Self.key] = callers.reduce(0) { $0 + $1.rate }
        return sample
    }
}
