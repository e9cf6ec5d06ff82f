import WeirEngine
import WeirWire

/// A writer of metrics in Prometheus's text format.
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
struct PrometheusText: ~Copyable {
    /// The content type of the text.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var output = ByteBuffer(capacity: 16 << 10)

    /// A metric.
    final class Metric: Sendable {
        /// The kinds of metrics.
        enum Kind: String {
            case counter, gauge, histogram
        }

        fileprivate let name: String
        fileprivate let head: String

        init(_ name: String, _ kind: Kind, _ help: String) {
            self.name = name
            head = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        }
    }

    /// Returns a copy of the text.
    func bytes() -> [UInt8] { output.withUnsafeBytes { Array($0) } }

    /// Begins a metric, whose samples follow.
    mutating func begin(_ metric: Metric) { output.append(metric.head) }

    /// Writes one sample.
    mutating func sample(_ metric: Metric, _ labels: Labels, _ value: some FixedWidthInteger) {
        begin(metric, "", labels)
        end(value)
    }

    /// Writes one sample.
    mutating func sample(_ metric: Metric, _ labels: Labels, _ value: Double) {
        begin(metric, "", labels)
        end(value)
    }

    /// Writes a histogram's samples, in seconds.
    mutating func histogram(_ metric: Metric, _ labels: Labels, _ histogram: LatencyHistogram) {
        var count: UInt64 = 0
        for (bound, more) in zip(Self.bounds, histogram.counts) {
            count += more
            begin(metric, "_bucket", labels, bound)
            end(count)
        }
        begin(metric, "_sum", labels)
        end(Double(histogram.sum) / 1e9)
        begin(metric, "_count", labels)
        end(count)
    }

    private mutating func begin(_ metric: Metric, _ suffix: StaticString, _ labels: Labels, _ more: Labels = []) {
        output.append(metric.name)
        output.append(suffix)
        if !labels.text.isEmpty || !more.text.isEmpty {
            output.append("{")
            output.append(labels.text)
            if !labels.text.isEmpty, !more.text.isEmpty { output.append(",") }
            output.append(more.text)
            output.append("}")
        }
        output.append(" ")
    }

    private mutating func end(_ value: some FixedWidthInteger) {
        output.appendDecimal(value)
        output.append("\n")
    }

    private mutating func end(_ value: Double) {
        output.append(value.description)
        output.append("\n")
    }

    /// The bounds of a histogram's buckets, as labels.
    private static let bounds: [Labels] =
        LatencyHistogram.bounds.map { [("le", "\(Double($0) / 1e9)")] } + [[("le", "+Inf")]]

    /// Labels in their text form, made once for all samples that share them.
    struct Labels: ExpressibleByArrayLiteral {
        fileprivate let text: String

        init(_ labels: [(String, String)]) { self.init("", labels) }

        init(arrayLiteral labels: (String, String)...) { self.init("", labels) }

        /// Returns these labels with one more.
        func with(_ name: String, _ value: String) -> Labels { Labels(text, [(name, value)]) }

        private init(_ begun: String, _ labels: [(String, String)]) {
            var output = ByteBuffer(capacity: 256)
            output.append(begun)
            for (name, value) in labels {
                if !output.isEmpty { output.append(",") }
                output.append(name)
                output.append("=\"")
                Self.escape(value, to: &output)
                output.append("\"")
            }
            text = output.string
        }

        private static func escape(_ value: String, to output: inout ByteBuffer) {
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): output.append("\\\\")
                case UInt8(ascii: "\""): output.append("\\\"")
                case UInt8(ascii: "\n"): output.append("\\n")
                default: output.append(byte)
                }
            }
        }
    }
}
