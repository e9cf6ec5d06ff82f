/// Relaying while a line for each chunk says what the messages in it mean, beside the same without.
struct DissectMeasurement: Measurement {
    let content: LoadContent

    init(_ content: LoadContent) {
        self.content = content
    }

    let group = MeasurementGroup.dissect
    let metrics: [Metric] = [.throughput, .processorPerGigabyte]
    let compared = "weir --no-dissect"
    var name: String { "dissect-\(content.rawValue)" }
    var title: String {
        content == .http
            ? "One TCP stream of HTTP requests with bodies of 64 KiB, its chunks and messages shown"
            : "One TCP stream of bytes that no protocol has, its chunks shown"
    }
    var method: String {
        """
        As for one stream, with `--show summary`: a line for each chunk goes to /dev/null, and with `--dissect` one for each \
        message too.
        """
    }
    var subjects: [Subject] {
        [
            .direct, Subject(name: compared, peer: Peers.weir, watching: .chunks(dissects: false)),
            Subject(name: "weir --dissect", peer: Peers.weir, watching: .chunks(dissects: true)),
        ]
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var load = bench.load(.stream)
        load.content = content
        return Sample(try await bench.measure(load, server: .sink, through: subject))
    }
}
