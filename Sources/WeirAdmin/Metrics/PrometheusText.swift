import WeirFlow
import WeirWire

/// Writes metrics in Prometheus's text form.
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
struct PrometheusText: ~Copyable {
    /// Says what the text is.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var output = ByteBuffer(capacity: 16 << 10)

    /// Lists what a metric can be.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// Copies what was written.
    func bytes() -> [UInt8] { output.withUnsafeBytes { Array($0) } }

    /// Begins a metric: its samples follow.
    mutating func begin(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        output.append("# HELP ")
        output.append(name)
        output.append(" ")
        output.append(help)
        output.append("\n# TYPE ")
        output.append(name)
        output.append(" ")
        output.append(kind.rawValue)
        output.append("\n")
    }

    /// Writes one sample.
    mutating func sample(_ name: StaticString, _ labels: Labels, _ value: some FixedWidthInteger) {
        begin(name, "", labels)
        end(value)
    }

    /// Writes one sample.
    mutating func sample(_ name: StaticString, _ labels: Labels, _ value: Double) {
        begin(name, "", labels)
        end(value)
    }

    /// Writes a histogram's samples, in seconds.
    mutating func histogram(_ name: StaticString, _ labels: Labels, _ histogram: LatencyHistogram) {
        var count: UInt64 = 0
        for (bound, more) in zip(Self.bounds, histogram.counts) {
            count += more
            begin(name, "_bucket", labels, bound)
            end(count)
        }
        begin(name, "_sum", labels)
        end(Double(histogram.sum) / 1e9)
        begin(name, "_count", labels)
        end(count)
    }

    private mutating func begin(_ name: StaticString, _ suffix: StaticString, _ labels: Labels, _ more: Labels = []) {
        output.append(name)
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

    /// Lists the bounds of a histogram's buckets as labels.
    private static let bounds: [Labels] =
        LatencyHistogram.bounds.map { [("le", "\(Double($0) / 1e9)")] } + [[("le", "+Inf")]]

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
        func with(_ name: String, _ value: String) -> Labels {
            var labels = self
            if !text.isEmpty { labels.text += "," }
            labels.text += name
            labels.text += "=\""
            labels.text += Self.escape(value)
            labels.text += "\""
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
