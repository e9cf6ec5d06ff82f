public import WeirDissect
public import WeirWire

extension StreamReport {
    /// Appends the irregularities of the stream, one line each with a prefix.
    ///
    /// - Parameters:
    ///   - direction: the direction of the stream.
    ///   - flow: the number of its flow.
    ///   - prefix: the beginning of each line.
    ///   - output: receives the lines.
    public func append(_ direction: Direction, flow: Int, prefix: String, to output: inout ByteBuffer) {
        for line in lines {
            output.append(prefix)
            output.append("#\(flow) ")
            output.append(direction == .upstream ? "up    " : "down  ")
            output.append(line)
            output.append("\n")
        }
    }

    /// The lines of the report: only one if all is well.
    private var lines: [String] {
        var lines: [String] = []
        var first = "\(Self.count(bytes, "byte")) in \(Self.count(segments, "segment"))"
        if isWhole { first += hasEnd ? ", whole from SYN to FIN" : ", whole from SYN on" }
        lines.append(first)
        if !hasStart, segments > 0 {
            lines.append("no SYN was captured: what came before is not known")
        }
        lines += faults.filter { $0.count > 0 }.map { fault in
            Self.count(fault.count, fault.noun) + (fault.words.isEmpty ? "" : " \(fault.words)")
        }
        for (ranges, words) in [
            (conflicts, "sent twice with different bytes"), (gaps, "not captured"),
            (cut, "cut off by the capture's limit on packets"),
        ] where !ranges.isEmpty {
            lines.append("\(Self.count(ranges.bytes, "byte")) \(words): \(Self.places(ranges))")
        }
        if hasReset { lines.append("reset by the sender") }
        return lines
    }

    private var faults: [(count: Int, noun: String, words: String)] {
        [
            (outOfOrder, "segment", "out of order"),
            (retransmittedBytes, "byte", "retransmitted, in \(Self.count(retransmissions, "segment"))"),
            (uncompared, "byte", "retransmitted were not compared: what they repeat was no longer kept"),
            (gapsOfLimit, "gap", "given up since no more could be kept: their bytes may have come later"),
            (late, "byte", "came after their gap was given up"),
            (beforeStart, "byte", "of before the first segment captured"),
            (behindEnd, "byte", "behind the FIN"),
            (missingAtEnd, "byte", "missing at the end: acknowledged, but not captured"),
            (otherStarts, "SYN", "with another sequence number"),
            (keepAlives, "keep-alive", ""),
        ].map { ($0.0, $0.1, $0.2) }
    }

    private static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// Returns a list of the first ranges: `@100-104, @2000`.
    private static func places(_ ranges: OffsetRanges) -> String {
        let first = ranges.ranges.prefix(10)
            .map { $0.count == 1 ? "@\($0.lowerBound)" : "@\($0.lowerBound)-\($0.upperBound - 1)" }
        let rest = ranges.count - first.count
        return first.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
