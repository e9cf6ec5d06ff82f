import WeirEngine
import WeirWire

/// The lines of differences from an expected echo.
extension TerminalSink {
    /// Appends a mismatch; if a byte differs, with what is around it, in what was sent and in what came back.
    mutating func appendMismatch(_ mismatch: Mismatch, _ record: FlowRecord, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        appendSign(.downstream, &output)
        beginColor("\u{1B}[31m", &output)
        output.append(" mismatch")
        switch mismatch {
        case .refused: output.append(", the server was not reached")
        case .unanswered(let datagrams):
            output.append(", ")
            output.appendCount(datagrams, "datagram")
            output.append(" never came back")
        case .byte(let offset, let sent, let received, _):
            output.append(" @")
            output.appendDecimal(offset)
            output.append(": sent ")
            appendByte(sent, &output)
            output.append(", came back ")
            appendByte(received, &output)
        }
        endColor(&output)
        output.endLine(from: start, style)
        guard case .byte(_, _, _, let around) = mismatch, show == .hex || show == .text else { return }
        appendRow(" sent ", around.sent, around.lead, &output)
        appendRow(" back ", around.received, around.lead, &output)
        if !style.color { appendCarets(around, &output) }
    }

    /// Appends `0x2c ','`, or `nothing`.
    private func appendByte(_ byte: UInt8?, _ output: inout ByteBuffer) {
        guard let byte else { return output.append("nothing") }
        output.append("0x")
        output.appendHex(UInt32(byte), digits: 2)
        guard (0x20...0x7e).contains(byte) else { return }
        output.append(" '")
        output.append(byte)
        output.append("'")
    }

    /// Appends a row of a dump, in which the byte that differs is marked.
    private func appendRow(_ name: StaticString, _ bytes: [UInt8], _ marked: Int, _ output: inout ByteBuffer) {
        output.append(" ")
        output.append(name)
        output.append(" ")
        for (index, byte) in bytes.enumerated() {
            output.append(" ")
            mark(index == marked, &output) { $0.appendHex(UInt32(byte), digits: 2) }
        }
        output.appendBlanks(3 * (Self.rowSize - bytes.count) + 2)
        output.append("|")
        for (index, byte) in bytes.enumerated() {
            mark(index == marked, &output) { $0.append((0x20...0x7e).contains(byte) ? byte : UInt8(ascii: ".")) }
        }
        output.append("|\n")
    }

    /// The maximum number of bytes in a row.
    private static let rowSize = 16

    private func mark(_ isMarked: Bool, _ output: inout ByteBuffer, _ body: (inout ByteBuffer) -> Void) {
        if isMarked { beginColor("\u{1B}[1;41m", &output) }
        body(&output)
        if isMarked { endColor(&output) }
    }

    /// Appends a line that marks the byte under both rows.
    private func appendCarets(_ around: MismatchBytes, _ output: inout ByteBuffer) {
        output.appendBlanks(9 + 3 * around.lead)
        output.append("^^")
        output.appendBlanks(3 * (Self.rowSize - around.lead) + around.lead)
        output.append("^\n")
    }
}

extension ByteBuffer {
    fileprivate mutating func appendBlanks(_ count: Int) {
        for _ in 0..<max(count, 0) { append(UInt8(ascii: " ")) }
    }
}
