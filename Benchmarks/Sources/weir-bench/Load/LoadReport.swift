import Histogram

/// What a load child prints, as one line of JSON.
struct LoadReport: Codable, Sendable, Equatable {
    /// Bytes that the server got, or that came back.
    var bytes: UInt64 = 0
    /// Round trips, connections or echoes.
    var operations: UInt64 = 0
    /// When the measured part began, in nanoseconds of the monotonic clock, which all processes share.
    var startNanoseconds: UInt64 = 0
    /// The time it took, in seconds.
    var seconds = 0.0
    /// Latencies in microseconds.
    var latency: Latency?
    /// Datagrams that had to be sent again.
    var lost: UInt64?
    /// Echoes that came after their datagram was given up, or that were not ours.
    var late: UInt64?
    /// Memory of the relay for one idle flow, in bytes.
    var bytesPerFlow: Double?
    /// Anonymous memory of a child that measures itself, in bytes.
    var anonymousBytes: Double?
    /// Processor time of the relay, in seconds.
    var relaySeconds: Double?
    /// Processor time of the server, in seconds.
    var serverSeconds: Double?
    /// Processor time of the client, in seconds.
    var clientSeconds: Double?
    /// Processor time of everything else on the machine, in seconds.
    var otherSeconds: Double?

    /// Points of a distribution of latencies, in microseconds.
    struct Latency: Codable, Sendable, Equatable {
        var p50: Double
        var p99: Double
        var p999: Double
        /// The longest one.
        var maximum = 0.0
    }
}

/// What one thread of a load child counted.
struct LoadOutcome: Sendable {
    var bytes: UInt64 = 0
    var operations: UInt64 = 0
    var lost: UInt64 = 0
    var late: UInt64 = 0
    /// When the thread had finished, on the monotonic clock.
    var end: UInt64 = 0
    /// Latencies in nanoseconds; nil where none are taken.
    var latencies: Histogram<UInt64>?

    /// Makes an empty histogram from 1 ns to 60 s with three digits.
    static func emptyHistogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    /// Tells how many latencies were taken.
    var latencyCount: UInt64 { latencies?.totalCount ?? 0 }

    /// Takes one latency, in nanoseconds.
    mutating func record(_ nanoseconds: UInt64) {
        if latencies == nil { latencies = Self.emptyHistogram() }
        latencies?.record(nanoseconds)
    }

    /// Adds what another thread counted.
    mutating func add(_ other: LoadOutcome) {
        bytes += other.bytes
        operations += other.operations
        lost += other.lost
        late += other.late
        end = max(end, other.end)
        guard let theirs = other.latencies else { return }
        latencies = latencies ?? Self.emptyHistogram()
        latencies?.add(theirs)
    }

    /// Makes the points that are reported.
    var points: LoadReport.Latency? {
        guard let latencies, latencies.totalCount > 0 else { return nil }
        func microseconds(_ percentile: Double) -> Double { Double(latencies.valueAtPercentile(percentile)) / 1000 }
        return LoadReport.Latency(
            p50: microseconds(50),
            p99: microseconds(99),
            p999: microseconds(99.9),
            maximum: microseconds(100)
        )
    }
}
