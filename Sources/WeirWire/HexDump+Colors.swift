extension HexDump {
    /// The escape sequences for the colours of decoded bytes, without those of errors and of the relay's own lines.
    public static let colors: [StaticString] = [
        "\u{1B}[32m", "\u{1B}[35m", "\u{1B}[34m", "\u{1B}[92m", "\u{1B}[95m", "\u{1B}[94m", "\u{1B}[96m", "\u{1B}[93m",
    ]

    /// Appends a dump like `append`, with colours for a terminal.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to dump.
    ///   - painted: For each byte its colour, a position in `colors` counted from 1, or 0 for none. Bytes past its end
    ///     have none.
    ///   - isIndented: Whether each line begins with two blanks.
    ///   - output: The buffer to append to.
    public static func append(
        _ bytes: RawSpan,
        painted: [UInt8],
        isIndented: Bool = false,
        to output: inout ByteBuffer
    ) {
        var plain = ByteBuffer(capacity: size(of: bytes.byteCount))
        append(bytes, to: &plain)
        plain.withUnsafeBytes { lines in
            for start in stride(from: 0, to: bytes.byteCount, by: bytesPerLine) {
                let count = min(bytesPerLine, bytes.byteCount &- start)
                let place = start / bytesPerLine * Line.size
                let line = lines.bytes.extracting(place..<min(place + Line.size, lines.count))
                let end = min(start + count, painted.count)
                if isIndented { output.append("  ") }
                if start < end, painted[start..<end].contains(where: { $0 != 0 }) {
                    appendLine(line, painted[start..<end], of: count, to: &output)
                } else {
                    output.append(line)
                }
            }
        }
    }

    private static func appendLine(
        _ line: RawSpan,
        _ painted: ArraySlice<UInt8>,
        of count: Int,
        to output: inout ByteBuffer
    ) {
        var at = 0
        for (columns, width) in [(Line.hex, 2), (Line.text, 1)] {
            var color: UInt8 = 0
            for (index, next) in painted.enumerated() {
                let column =
                    columns == Line.text
                    ? Line.text + index : index < 8 ? Line.hex + 3 * index : Line.secondHex + 3 * (index - 8)
                // Between two columns there are only blanks, or the bar, which has no colour.
                if next != color, color != 0 { output.append("\u{1B}[0m") }
                output.append(line.extracting(at..<column))
                if next != color, next != 0 { output.append(colors[Int(next - 1) % colors.count]) }
                output.append(line.extracting(column..<(column + width)))
                at = column + width
                color = next
            }
            if color != 0 { output.append("\u{1B}[0m") }
        }
        output.append(line.extracting(droppingFirst: at))
    }
}
