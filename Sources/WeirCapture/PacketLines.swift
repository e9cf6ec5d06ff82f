public import WeirWire

/// A renderer of captured packets for people: one line each, and on request the dump of their bytes.
///
/// ```
/// 12:31:07.104218 tcp 127.0.0.1:51514 -> 127.0.0.1:9000 [SYN] 0 B
/// ```
/// The count is the payload after the last named header.
public struct PacketLines: Sendable {
    private var timestamp: Timestamp
    private let linkType: LinkType
    private let dumps: Bool

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - linkType: The kind of the packets' first header.
    ///   - dumps: Whether the packet's bytes follow each line.
    ///   - localOffset: Returns the offset of local time from UTC.
    public init(
        linkType: LinkType,
        dumps: Bool = false,
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }
    ) {
        timestamp = Timestamp(localOffset: localOffset)
        self.linkType = linkType
        self.dumps = dumps
    }

    /// Appends a packet.
    public mutating func append(_ packet: LivePacket, _ bytes: RawSpan, to output: inout ByteBuffer) {
        let ends = PacketEnds(bytes, linkType, originalLength: Int(packet.originalLength))
        timestamp.appendTimeOfDay(packet.timestamp, to: &output)
        output.append(" ")
        Self.appendProtocol(ends, to: &output)
        if let source = ends.source, let destination = ends.destination {
            output.append(" ")
            Self.append(source, hasPort: ends.tuple != nil, to: &output)
            output.append(" -> ")
            Self.append(destination, hasPort: ends.tuple != nil, to: &output)
        }
        if let flags = ends.flags { Self.append(flags, to: &output) }
        if ends.isLaterFragment { output.append(" fragment") }
        output.append(" ")
        output.appendDecimal(ends.payloadLength)
        output.append(" B")
        if bytes.byteCount < Int(packet.originalLength) {
            output.append(", cut to ")
            output.appendDecimal(bytes.byteCount)
            output.append(" of ")
            output.appendDecimal(packet.originalLength)
            output.append(" B")
        }
        output.append("\n")
        if dumps { HexDump.append(bytes, to: &output) }
    }

    private static func appendProtocol(_ ends: PacketEnds, to output: inout ByteBuffer) {
        if let number = ends.ipProtocol {
            if let name = protocols.first(where: { $0.number == number.rawValue })?.name {
                output.append(name)
            } else {
                output.append("ip protocol ")
                output.appendDecimal(number.rawValue)
            }
        } else if ends.etherType == .arp {
            output.append("arp")
        } else if let type = ends.etherType {
            output.append("ethertype 0x")
            output.appendHex(UInt32(type.rawValue), digits: 4)
        } else {
            output.append("packet")
        }
    }

    private static func append(_ endpoint: Endpoint, hasPort: Bool, to output: inout ByteBuffer) {
        if hasPort { endpoint.write(to: &output) } else { endpoint.address.write(to: &output) }
    }

    private static func append(_ flags: TCPFlags, to output: inout ByteBuffer) {
        var separator: StaticString = " ["
        for (flag, name) in flagNames where flags.contains(flag) {
            output.append(separator)
            output.append(name)
            separator = ","
        }
        if !flags.isDisjoint(with: allFlags) { output.append("]") }
    }

    /// Source: IANA, Protocol Numbers.
    private static let protocols: [(number: UInt8, name: StaticString)] = [
        (6, "tcp"), (17, "udp"), (1, "icmp"), (58, "icmpv6"), (2, "igmp"), (47, "gre"), (132, "sctp"),
    ]

    private static let flagNames: [(TCPFlags, StaticString)] = [
        (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"), (.urg, "URG"), (.ece, "ECE"),
        (.cwr, "CWR"), (.ae, "AE"),
    ]
    private static let allFlags = flagNames.reduce(into: TCPFlags()) { $0.insert($1.0) }
}
