import Glibc

/// Round trips of 64 bytes while each one is shown, logged or recorded: the cost of a record, not of a byte.
struct WatchedPingMeasurement: Measurement {
    let name = "ping-watched"
    let title = "64-byte ping-pong on 64 connections while every chunk is shown, logged or recorded"
    let metrics: [Metric] = [.rate("round trips/s"), .p50, .p99, .processorPerOperation]
    let method = "As for 64 connections; the relay writes into files, for two chunks of each round trip."
    var subjects: [Subject] {
        [
            .relay(Peers.weir),
            Subject(name: "weir --show hex", peer: Peers.weir, watching: .dump),
            Subject(name: "weir --log", peer: Peers.weir, watching: .log),
            Subject(name: "weir --record, both legs", peer: Peers.weir, watching: .record(legs: "both")),
        ]
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        defer { unlink(RelayRequest.recordPath) }
        return Sample(try await bench.measure(bench.load(.ping, connections: 64), server: .echo, through: subject))
    }
}
