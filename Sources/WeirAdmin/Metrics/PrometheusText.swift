import WeirFlow

/// Writes metrics in Prometheus's text form.
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
struct PrometheusText {
    /// Says what the text is.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Lists what a metric can be.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// Begins a metric: its samples follow.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Writes one sample.
    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: some CustomStringConvertible) {
        text += name + Self.render(labels) + " \(value)\n"
    }

    /// Writes a histogram's samples, in seconds.
    mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: LatencyHistogram) {
        var count: UInt64 = 0
        for (index, bound) in LatencyHistogram.bounds.enumerated() {
            count += histogram.counts[index]
            sample(name + "_bucket", labels + [("le", "\(Double(bound) / 1e9)")], count)
        }
        sample(name + "_bucket", labels + [("le", "+Inf")], histogram.count)
        sample(name + "_sum", labels, Double(histogram.sum) / 1e9)
        sample(name + "_count", labels, histogram.count)
    }

    private static func render(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.0)=\"\(escape($0.1))\"" }.joined(separator: ",") + "}"
    }

    private static func escape(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
