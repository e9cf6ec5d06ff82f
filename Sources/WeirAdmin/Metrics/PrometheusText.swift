import WeirFlow

/// Writes metrics in Prometheus's text form.
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
struct PrometheusText {
    /// Says what the text is.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    /// Lists what a metric can be.
    enum Kind: String {
        case counter, gauge, histogram
    }

    init() { bytes.reserveCapacity(16 << 10) }

    /// Begins a metric: its samples follow.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        for text in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind.rawValue, "\n"] { append(text) }
    }

    /// Writes one sample.
    mutating func sample(_ name: String, _ labels: Labels, _ value: some BinaryInteger) {
        begin(name, "", labels)
        append(value)
        append("\n")
    }

    /// Writes one sample.
    mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
        begin(name, "", labels)
        append(value.description)
        append("\n")
    }

    private mutating func begin(_ name: String, _ suffix: String, _ labels: Labels, _ more: Labels = []) {
        append(name)
        append(suffix)
        if !labels.text.isEmpty || !more.text.isEmpty {
            append("{")
            append(labels.text)
            if !labels.text.isEmpty, !more.text.isEmpty { append(",") }
            append(more.text)
            append("}")
        }
        append(" ")
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: some BinaryInteger) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Writes a histogram's samples, in seconds.
    mutating func histogram(_ name: String, _ labels: Labels, _ histogram: LatencyHistogram) {
        var count: UInt64 = 0
        for (bound, more) in zip(Self.bounds, histogram.counts) {
            count += more
            begin(name, "_bucket", labels, bound)
            append(count)
            append("\n")
        }
        begin(name, "_sum", labels)
        append((Double(histogram.sum) / 1e9).description)
        append("\n")
        begin(name, "_count", labels)
        append(count)
        append("\n")
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
            labels.text += "\(name)=\"\(Self.escape(value))\""
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
