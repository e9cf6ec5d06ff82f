/// TCP streams in one direction, with TLS on both legs.
struct SecuredStreamMeasurement: Measurement {
    /// Streams at once.
    let streams: Int

    var name: String { "tls-stream-\(streams)" }
    var title: String { streams == 1 ? "One stream over TLS" : "\(streams) streams over TLS" }
    var group: MeasurementGroup { .tls }
    var metrics: [Metric] { [.throughput, .processorPerGigabyte] }
    var subjects: [Subject] { Subject.securing }
    var method: String {
        """
        \(Agreement.security) The client sends records of 16 KiB for the time of a run; the clock stops when the server \
        has decrypted the last byte and has said how many came, which must be all.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let load = bench.load(.securedStream, connections: streams)
        return Sample(try await bench.measure(load, server: .securedSink, through: subject))
    }
}

/// What all measurements of TLS have in common.
enum Agreement {
    /// How both legs speak TLS, for all relays.
    static let security = """
        TLS 1.3 with AES-256-GCM on both legs, a P-256 key behind each certificate, nothing is resumed, nobody verifies \
        the server. sslsplit chooses its number of threads itself.
        """
}

extension Subject {
    /// Direct and every relay that decrypts in between.
    static let securing = [direct] + Peers.securing.map(relay)
}
