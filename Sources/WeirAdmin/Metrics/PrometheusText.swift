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
    mutating func sample(_ name: String, _ labels: Labels, _ value: some CustomStringConvertible) {
        text += name
        if !labels.text.isEmpty {
            text += "{"
            text += labels.text
            text += "}"
        }
        text += " "
        text += value.description
        text += "\n"
    }

    /// Writes a histogram's samples, in seconds.
    mutating func histogram(_ name: String, _ labels: Labels, _ histogram: LatencyHistogram) {
        let bucket = name + "_bucket"
        var count: UInt64 = 0
        for (index, bound) in Self.bounds.enumerated() {
            count += histogram.counts[index]
            sample(bucket, labels.with(rendered: bound), count)
        }
        sample(bucket, labels.with("le", "+Inf"), histogram.count)
        sample(name + "_sum", labels, Double(histogram.sum) / 1e9)
        sample(name + "_count", labels, histogram.count)
    }

    /// Lists the bounds of a histogram's buckets as labels.
    private static let bounds = LatencyHistogram.bounds.map { Labels([("le", "\(Double($0) / 1e9)")]).text }

    /// Holds labels as they are written: once for all samples that have them.
    struct Labels: ExpressibleByArrayLiteral {
        fileprivate private(set) var text = ""

        init(_ labels: [(String, String)]) {
            for (name, value) in labels { self = with(name, value) }
        }

        init(arrayLiteral labels: (String, String)...) {
            self.init(labels)
        }

        /// Returns these labels and one more.
        func with(_ name: String, _ value: String) -> Labels { with(rendered: "\(name)=\"\(Self.escape(value))\"") }

        fileprivate func with(rendered label: String) -> Labels {
            var labels = self
            if !text.isEmpty { labels.text += "," }
            labels.text += label
            return labels
        }

        private static func escape(_ value: String) -> String {
            guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
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
}
