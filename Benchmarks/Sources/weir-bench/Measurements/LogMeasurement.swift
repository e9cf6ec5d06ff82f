/// Relaying while every chunk is logged.
struct LogMeasurement: Measurement {
    let name = "log"
    let title = "One TCP stream with every chunk logged into a file"
    let method = "As for one stream; the log holds a line for each chunk, without its bytes, in TMPDIR (/tmp)."
    let metrics: [Metric] = [.throughput, .processorPerGigabyte]
    let compared = "weir --log"
    var subjects: [Subject] {
        [.direct, .relay(Peers.weir), Subject(name: compared, peer: Peers.weir, watching: .log)]
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        Sample(try await bench.measure(bench.load(.stream), server: .sink, through: subject))
    }
}
