/// One figure of a measurement, as it is taken, kept in JSON and shown.
struct Metric: Sendable, Equatable {
    /// The name in JSON; the unit is in the name.
    let key: String
    /// The heading of its column, with the unit that is shown.
    let heading: String
    /// What a figure is multiplied with to be shown.
    var scale = 1.0
    /// Digits behind the point.
    var digits = 0
    /// Whether the table has a column with the ratio to Weir.
    var isCompared = true
    /// Whether the table has a column with the difference from the row without a relay.
    var hasDifference = false

    static let throughput = Metric(key: "bytes_per_second", heading: "Gbit/s", scale: 8e-9, digits: 2)
    static let inputRate = Metric(key: "bytes_per_second", heading: "MB/s", scale: 1e-6)
    static let exactRate = Metric(key: "bytes_per_second", heading: "MB/s", scale: 1e-6, digits: 3)
    static let processorPerGigabyte = Metric(key: "cpu_seconds_per_gigabyte", heading: "CPU s/GB", digits: 3)
    static let processorPerOperation = Metric(key: "cpu_microseconds_per_operation", heading: "CPU µs each", digits: 2)
    static let processorPerChunk = Metric(key: "cpu_microseconds_per_chunk", heading: "CPU µs/chunk", digits: 2)
    static let p50 = Metric(key: "p50_microseconds", heading: "p50 µs", digits: 1)
    static let p99 = Metric(key: "p99_microseconds", heading: "p99 µs", digits: 1)
    static let p999 = Metric(key: "p999_microseconds", heading: "p99.9 µs", digits: 1)
    static let callNanoseconds = Metric(
        key: p50.key,
        heading: "p50 ns",
        scale: 1000,
        hasDifference: true
    )
    static let callMicroseconds = Metric(key: p50.key, heading: "p50 µs", digits: 1, hasDifference: true)
    static let processorPerHandshake = Metric(
        key: processorPerOperation.key,
        heading: "CPU ms each",
        scale: 1e-3,
        digits: 3
    )
    static let p999Milliseconds = Metric(key: p999.key, heading: "p99.9 ms", scale: 1e-3, digits: 2)
    static let longestMilliseconds = Metric(key: "maximum_microseconds", heading: "longest ms", scale: 1e-3, digits: 2)
    static let flowMemory = Metric(key: "bytes_per_flow", heading: "KB/flow", scale: 1e-3, digits: 2)
    static let anonymousMemory = Metric(
        key: "anonymous_bytes",
        heading: "RssAnon MB",
        scale: 1e-6,
        digits: 1,
        isCompared: false
    )
    static let loss = Metric(key: "loss_percent", heading: "loss %", digits: 3, isCompared: false)

    /// Writes a figure as it is shown, without its unit.
    func format(_ value: Double) -> String {
        Number.fixed(value * scale, digits: digits)
    }

    /// Counts operations a second under a name of their own.
    static func rate(_ heading: String) -> Metric {
        Metric(key: "operations_per_second", heading: heading)
    }
}

/// The figures of one run, by the keys of their metrics; keys that no column shows go to JSON all the same.
struct Sample: Sendable, Codable, Equatable {
    /// The key of the cores that were busy with something else than this run.
    static let othersKey = "others_busy_cores"

    /// The figures.
    var values: [String: Double]

    /// Makes the figures that every load has.
    init(_ report: LoadReport) {
        values = [:]
        guard report.seconds > 0 else { return }
        values["seconds"] = report.seconds
        values[Metric.throughput.key] = Double(report.bytes) / report.seconds
        values["operations_per_second"] = Double(report.operations) / report.seconds
        values[Metric.p50.key] = report.latency?.p50
        values[Metric.p99.key] = report.latency?.p99
        values[Metric.p999.key] = report.latency?.p999
        values[Metric.longestMilliseconds.key] = report.latency?.maximum
        values[Metric.flowMemory.key] = report.bytesPerFlow
        values["relay_busy_cores"] = report.relaySeconds.map { $0 / report.seconds }
        values["server_busy_cores"] = report.serverSeconds.map { $0 / report.seconds }
        values["client_busy_cores"] = report.clientSeconds.map { $0 / report.seconds }
        values[Self.othersKey] = report.otherSeconds.map { $0 / report.seconds }
        if let relay = report.relaySeconds, report.operations > 0 {
            values[Metric.processorPerOperation.key] = relay * 1e6 / Double(report.operations)
            if report.bytes > 0 { values[Metric.processorPerGigabyte.key] = relay / (Double(report.bytes) / 1e9) }
        }
        if let lost = report.lost {
            values[Metric.loss.key] = 100 * Double(lost) / Double(max(1, report.operations + lost))
            values["late"] = report.late.map(Double.init)
        }
    }

    /// Makes a rate alone.
    init(bytes: Int, seconds: Double) {
        values = ["seconds": seconds, Metric.throughput.key: Double(bytes) / seconds]
    }
}
