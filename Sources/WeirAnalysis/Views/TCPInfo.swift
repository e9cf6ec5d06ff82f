import WeirWire

/// The text form of a TCP header, in one line as in tshark 4.0: `49152 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460`.
struct TCPInfo {
    private let header: TCPHeader
    private let length: Int
    private let first: UInt32
    private let other: UInt32
    private let shift: UInt8

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - header: the header.
    ///   - length: the number of bytes that follow.
    ///   - first: the first sequence number of the sender's stream; numbers are shown relative to it.
    ///   - other: the first sequence number of the receiver's stream.
    ///   - shift: the number of bits by which the window is shifted.
    init(_ header: TCPHeader, length: Int, first: UInt32?, other: UInt32?, shift: UInt8) {
        self.header = header
        self.length = length
        self.first = first ?? 0
        self.other = other ?? 0
        self.shift = shift
    }

    private static let names: [(TCPFlags, StaticString)] = [
        (.fin, "FIN"), (.syn, "SYN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"), (.urg, "URG"), (.ece, "ECE"),
        (.cwr, "CWR"), (.ae, "AE"),
    ]

    func append(to output: inout ByteBuffer) {
        output.appendDecimal(header.sourcePort)
        output.append(" → ")
        output.appendDecimal(header.destinationPort)
        output.append(" [")
        var isFirst = true
        for (flag, name) in Self.names where header.flags.contains(flag) {
            if !isFirst { output.append(", ") }
            isFirst = false
            output.append(name)
        }
        if isFirst { output.append("<None>") }
        output.append("] Seq=")
        output.appendDecimal(header.sequenceNumber &- first)
        if header.flags.contains(.ack) {
            output.append(" Ack=")
            output.appendDecimal(header.acknowledgmentNumber &- other)
        }
        output.append(" Win=")
        output.appendDecimal(UInt32(header.window) << UInt32(shift))
        output.append(" Len=")
        output.appendDecimal(length)
        if header.flags.contains(.urg) {
            output.append(" Urg=")
            output.appendDecimal(header.urgentPointer)
        }
        for option in header.options { append(option, to: &output) }
    }

    private func append(_ option: TCPOption, to output: inout ByteBuffer) {
        switch option {
        case .maximumSegmentSize(let size):
            output.append(" MSS=")
            output.appendDecimal(size)
        case .windowScale(let shift):
            output.append(" WS=")
            output.appendDecimal(1 << min(UInt32(shift), 14))
        case .selectiveAcknowledgmentPermitted: output.append(" SACK_PERM")
        case .timestamps(let value, let echo):
            output.append(" TSval=")
            output.appendDecimal(value)
            output.append(" TSecr=")
            output.appendDecimal(echo)
        case .selectiveAcknowledgment(let blocks):
            for index in 0..<blocks.count {
                output.append(" SLE=")
                output.appendDecimal(blocks[index].start &- other)
                output.append(" SRE=")
                output.appendDecimal(blocks[index].end &- other)
            }
        case .endOfList, .noOperation, .other, .malformed: break
        }
    }
}
