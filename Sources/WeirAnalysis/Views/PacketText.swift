public import WeirDissect
public import WeirWire

/// The text form of packets, one line each with tshark's columns and on request a dump: number, seconds since the first
/// packet, source, destination, protocol, length and purpose.
///
/// A flow that Weir recorded has its number and leg after the seconds: `#3c`. On a terminal a line that does not fit is cut.
public struct PacketText: ~Copyable, Sendable {
    private let hasHex: Bool
    private let style: TerminalStyle
    private var color: Bool { style.color }
    private var description = PacketDescription()
    private var first: Int64?
    private var colors = PacketColors()

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - style: The reader; with color the fields of messages in dumps have theirs, too.
    ///   - hasHex: Whether a dump of the packet's bytes follows its line.
    public init(_ style: TerminalStyle = TerminalStyle(), hasHex: Bool) {
        self.hasHex = hasHex
        self.style = style
    }

    /// Reads a packet that is not shown: the meaning of later ones can depend on it.
    public mutating func skip(_ captured: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        first = first ?? captured.timestamp
        if flows.packet.tcp?.flags.contains(.syn) == true { description.describe(bytes, in: flows) }
        if hasHex, color { colors.read(captured, bytes, in: flows) }
    }

    /// Appends a packet.
    ///
    /// - Parameters:
    ///   - captured: the packet's time and lengths.
    ///   - bytes: the packet's captured bytes.
    ///   - flows: the decoded packet, and the flows up to it; the number of packets there is its number.
    ///   - digits: the number of digits for fractions of a second.
    ///   - numbers: the numbers of the flows.
    ///   - output: receives the lines.
    public mutating func append(
        _ captured: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        digits: Int,
        numbers: FlowRows = FlowRows(),
        to output: inout ByteBuffer
    ) {
        first = first ?? captured.timestamp
        description.describe(bytes, in: flows)
        let start = output.count
        if color { output.append(Self.sequence(for: flows.packet)) }
        output.appendRight(digits: UInt64(flows.packets), width: 5)
        output.append(" ")
        appendTime(captured.timestamp, digits, to: &output)
        output.append(" ")
        if numbers.isRecorded { append(flows.innermost.map { numbers.label($0.index, isApart: true) }, to: &output) }
        description.source.withUnsafeBytes { source in
            output.appendBlanks(12 - source.count)
            output.append(source.bytes)
        }
        output.append(" ")
        output.append(style.arrow)
        output.append(" ")
        description.destination.withUnsafeBytes { destination in
            output.append(destination.bytes)
            output.appendBlanks(12 - destination.count)
        }
        output.append(" ")
        description.name.withUnsafeBytes { output.append($0.bytes) }
        output.append(" ")
        output.appendDecimal(captured.originalLength)
        output.append(" ")
        appendInfo(to: &output)
        if color { output.append("\u{1B}[0m") }
        output.endLine(from: start, style)
        guard hasHex else { return }
        if color {
            colors.read(captured, bytes, in: flows)
            colors.append(bytes, to: &output)
        } else {
            HexDump.append(bytes, to: &output)
        }
        output.append("\n")
    }

    /// Appends the purpose, in which the arrow between ports is the only character beyond ASCII.
    private func appendInfo(to output: inout ByteBuffer) {
        description.info.withUnsafeBytes { info in
            guard !style.isUnicode else { return output.append(info.bytes) }
            var index = 0
            while index < info.count {
                if info[index...].starts(with: "→".utf8) {
                    output.append("->")
                    index += 3
                } else {
                    output.append(info[index])
                    index += 1
                }
            }
        }
    }

    /// Appends the column of flows: `#3c`; blanks if there is no flow.
    private func append(_ label: FlowLabel?, to output: inout ByteBuffer) {
        let start = output.count
        label?.append(to: &output)
        output.appendBlanks(start + 5 - output.count)
        output.append(" ")
    }

    private func appendTime(_ time: Int64?, _ digits: Int, to output: inout ByteBuffer) {
        guard let time, let first else { return output.appendBlanks(10) }
        let (difference, overflow) = time.subtractingReportingOverflow(first)
        let nanoseconds = overflow ? (time < first ? Int64.min : .max) : difference
        let magnitude = nanoseconds.magnitude
        var scale: UInt64 = 1_000_000_000
        for _ in 0..<digits { scale /= 10 }
        let (seconds, fraction) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000 / scale)
        let width = 10 - (digits > 0 ? digits + 1 : 0)
        let isNegative = nanoseconds < 0
        output.appendBlanks(width - UInt64.digits(seconds) - (isNegative ? 1 : 0))
        if isNegative { output.append("-") }
        output.appendDecimal(seconds)
        guard digits > 0 else { return }
        output.append(".")
        output.appendDecimal(Int(fraction), width: digits)
    }

    private static func sequence(for packet: borrowing DecodedPacket) -> StaticString {
        if packet.stop != nil { return "\u{1B}[31m" }
        guard let segment = packet.tcp else { return packet.udp == nil ? "\u{1B}[2m" : "\u{1B}[36m" }
        if segment.flags.contains(.rst) { return "\u{1B}[31m" }
        return segment.flags.isDisjoint(with: [.syn, .fin]) ? "" : "\u{1B}[1m"
    }
}

/// The JSON form of packets, one object each.
///
/// Keys, in this order: `packet` (number from 1), `time` (RFC 3339, UTC, ns; null if it is not known), `interface`,
/// `length` (original), `captured`, `source`, `destination`, `protocol`, `flow` (null if it is in none), `info`, on request
/// `bytes` (base64), and for a flow that Weir recorded `leg` (`client` or `server`).
public struct PacketJSON: ~Copyable, Sendable {
    private let hasBytes: Bool
    private var description = PacketDescription()
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init(hasBytes: Bool) {
        self.hasBytes = hasBytes
    }

    /// Reads a packet that is not shown: the meaning of later ones can depend on it.
    public mutating func skip(_ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        if flows.packet.tcp?.flags.contains(.syn) == true { description.describe(bytes, in: flows) }
    }

    /// Appends a packet and a line feed.
    public mutating func append(
        _ captured: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        numbers: FlowRows = FlowRows(),
        to output: inout ByteBuffer
    ) {
        description.describe(bytes, in: flows)
        let flow = flows.innermost.map { numbers.label($0.index, isApart: true) }
        output.appendJSONLine { json in
            json.member("packet", flows.packets)
            json.member("time", captured.timestamp, by: &timestamp)
            json.member("interface", captured.interface)
            json.member("length", captured.originalLength)
            json.member("captured", captured.capturedLength)
            description.source.withUnsafeBytes { json.member("source", utf8: $0.bytes) }
            description.destination.withUnsafeBytes { json.member("destination", utf8: $0.bytes) }
            description.name.withUnsafeBytes { json.member("protocol", utf8: $0.bytes) }
            json.member("flow", flow?.number)
            description.info.withUnsafeBytes { json.member("info", utf8: $0.bytes) }
            if hasBytes { json.member("bytes", base64: bytes) }
            if let leg = flow?.leg { json.member("leg", leg.name) }
        }
    }
}

extension ByteBuffer {
    /// Appends a number of blanks; none if the number is negative.
    mutating func appendBlanks(_ count: Int) {
        for _ in 0..<max(count, 0) { append(UInt8(ascii: " ")) }
    }

    /// Appends a number, padded with blanks on the left to a width.
    mutating func appendRight(digits number: UInt64, width: Int) {
        appendBlanks(width - UInt64.digits(number))
        appendDecimal(number)
    }
}

extension UInt64 {
    /// Returns the number of decimal digits.
    static func digits(_ number: UInt64) -> Int {
        var (count, rest) = (1, number / 10)
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}
