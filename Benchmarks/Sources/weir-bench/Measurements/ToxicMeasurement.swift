/// Relaying under toxics, beside relaying without any.
struct ToxicMeasurement: Measurement {
    let name: String
    let title: String
    let method: String
    let metrics: [Metric]
    let group = MeasurementGroup.toxics
    let subjects: [Subject]
    private let kind: LoadKind
    private let connections: Int

    private init(
        _ name: String,
        _ title: String,
        _ method: String,
        _ metrics: [Metric],
        _ kind: LoadKind,
        connections: Int = 1,
        toxics: [String],
        named toxic: String
    ) {
        self.name = "toxic-\(name)"
        self.title = title
        self.method = method
        self.metrics = metrics
        self.kind = kind
        self.connections = connections
        subjects = [
            .relay(Peers.weir), Subject(name: "weir, \(toxic)", peer: Peers.weir, watching: .toxics(toxics)),
        ]
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(kind, connections: connections)
        return Sample(try await bench.measure(load, server: kind == .stream ? .sink : .echo, through: subject))
    }
}

extension ToxicMeasurement {
    /// Lists what is measured.
    static let all: [ToxicMeasurement] = [
        .init(
            "noop-stream",
            "One TCP stream under noop both ways",
            """
            As for one stream. A toxic that changes nothing is not asked, and its chunks are not copied: this is the price \
            of having one. What a chain costs that looks at every chunk is in toxic-copy-stream.
            """,
            [.throughput, .processorPerGigabyte],
            .stream,
            toxics: ["noop,both"],
            named: "noop both ways"
        ),
        .init(
            "noop-ping",
            "64-byte ping-pong on 64 connections under noop both ways",
            "As for ping-pong.",
            [.rate("round trips/s"), .p50, .p99, .processorPerOperation],
            .ping,
            connections: 64,
            toxics: ["noop,both"],
            named: "noop both ways"
        ),
        .init(
            "copy-stream",
            "One TCP stream under a toxic that looks at every byte's chunk and changes none",
            "As for one stream; each chunk of at most 64 KiB is copied once, and passes a chain of one.",
            [.throughput, .processorPerGigabyte],
            .stream,
            toxics: ["packet_loss,both,loss_rate=0"],
            named: "packet_loss of 0 both ways"
        ),
        .init(
            "latency",
            "64-byte ping-pong under a latency of 100 ms",
            "As for ping-pong on one connection; the median is to be from 100 to 105 ms.",
            [.p50, .p99],
            .ping,
            toxics: ["latency,down,latency=100"],
            named: "latency 100 ms down"
        ),
        .init(
            "bandwidth",
            "One TCP stream under a bandwidth of 10 MB/s",
            "As for one stream; the rate is to be within 3 % of 10 MB/s, with what the kernel's queues take at the start.",
            [.exactRate, .processorPerGigabyte],
            .stream,
            toxics: ["bandwidth,up,rate=10000"],
            named: "bandwidth 10 MB/s up"
        ),
        .init(
            "flows-memory",
            "Memory for an idle flow, with \(flows) flows, latency both ways",
            "As for idle flows; each had its 64 bytes delayed by 1 ms each way.",
            [.flowMemory],
            .hold,
            connections: flows,
            toxics: ["latency,both,latency=1"],
            named: "latency both ways"
        ),
        .init(
            "flows-ping",
            "64-byte ping-pong on \(flows) connections, latency both ways",
            """
            As for ping-pong; a delay of 200 ms each way, so that each connection has one message on its way in the relay \
            nearly all the time, and at most \(flows * 5 / 2) round trips a second are made.
            """,
            [.rate("round trips/s"), .p50, .p99, .processorPerOperation],
            .ping,
            connections: flows,
            toxics: ["latency,both,latency=200"],
            named: "latency 200 ms both ways"
        ),
    ]

    /// 10,000, or as many flows as the limit on descriptors allows.
    private static let flows = DescriptorLimit.flows(upTo: 10_000)
}
