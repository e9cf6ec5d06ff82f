import FoundationEssentials

/// How long plain flows wait behind many handshakes.
struct BurstMeasurement: Measurement {
    /// Handshakes that begin at once.
    let handshakes: Int

    let name = "tls-burst"
    var title: String { "Round trips of plain flows beside \(handshakes) TLS handshakes at once" }
    var group: MeasurementGroup { .tls }
    var metrics: [Metric] { [.longestMilliseconds, .p999Milliseconds, .p50, .rate("handshakes/s")] }
    var subjects: [Subject] { [.direct] + [Peers.weir, Peers.nginx, Peers.haproxy].map(Subject.relay) }
    var method: String {
        """
        \(Agreement.security) The relay has a second route, without TLS, on the same worker. \(Agreed.besides) flows of it \
        are pinged, \(Self.rate) times a second in all, from the first handshake to the last. The ends of the handshakes, \
        but not the relay nor the ends of the pings, run at nice 10: what they take from the processor is not what is \
        measured. In the row direct nothing is between the ends, so its waits are the machine's.
        """
    }

    private static let rate = 2000

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        try bench.check(subject, transport: .tcp, flows: handshakes)
        var load = bench.load(.burst, connections: handshakes)
        load.threads = 1
        load.connectionLimit = handshakes
        load.rate = Self.rate
        return try await bench.withServer(.echo) { [load] _, echo in
            try await bench.withServer(.securedOnce, yieldsPriority: true) { server, port in
                var load = load
                load.server = server.identifier
                return Sample(try await report(load, subject, port, echo, in: bench))
            }
        }
    }

    private func report(
        _ load: LoadSettings,
        _ subject: Subject,
        _ port: UInt16,
        _ echo: UInt16,
        in bench: Bench
    ) async throws -> LoadReport {
        var load = load
        guard let peer = subject.peer else {
            (load.port, load.plainPort) = (port, echo)
            return try await bench.report(of: load)
        }
        let request = RelayRequest(
            transport: .tcp,
            serverPort: port,
            workers: bench.settings.workers,
            flows: handshakes + Agreed.besides,
            watching: .nothing,
            folder: try bench.folder.subfolder().path,
            isSecured: true,
            plain: PlainRoute(port: peer.choosesPort ? 0 : try FreePort.find(.tcp), serverPort: echo)
        )
        defer { try? FileManager.default.removeItem(atPath: request.folder) }
        return try await bench.withRelay(peer, request) { [load] relay in
            var load = load
            (load.port, load.plainPort, load.relay) = (relay.port, relay.plainPort, relay.group.identifier)
            return try await bench.report(of: load)
        }
    }
}
