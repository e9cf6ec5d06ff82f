/// One thing that is measured, for several subjects side by side.
protocol Measurement: Sendable {
    /// The name for `--only`.
    var name: String { get }
    /// The heading of its table.
    var title: String { get }
    /// How it is measured, in a sentence or two below the heading.
    var method: String { get }
    /// The command that it belongs to.
    var group: MeasurementGroup { get }
    /// The columns; the first is the one that the ratio to direct is taken of.
    var metrics: [Metric] { get }
    /// The rows.
    var subjects: [Subject] { get }
    /// The row that every other one is compared with.
    var compared: String { get }
    /// Where it stands in a series of the same measurement under growing load; nil when it stands alone.
    var growth: Growth? { get }

    /// Measures one subject once.
    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample
}

extension Measurement {
    var group: MeasurementGroup { .relay }
    var subjects: [Subject] { Subject.everyone }
    var compared: String { Peers.weir.name }
    var growth: Growth? { nil }
}

/// The commands that measurements belong to.
enum MeasurementGroup: String, Sendable, CaseIterable {
    case relay, udp, hexdump, record, capture, pcap, show, dissect, ports, toxics, run, tls
}

/// A place in a series of the same measurement under growing load.
struct Growth: Sendable, Equatable {
    /// The heading of the table of the whole series.
    let title: String
    /// The size at this place.
    let size: Int
}
