package import WeirWire

/// The contents of one packet of a capture, read by the project's own readers.
package struct SeenPacket: Sendable {
    /// The name of the interface, such as `client` for `weir:client`; empty in a pcap file.
    package var leg: String
    /// The time in nanoseconds since 1970 UTC.
    package var time: Int64
    package var flags: PacketFlags
    package var number: UInt64?
    package var comments: [String]
    /// The process that sent it; nil if the file does not say.
    package var process: PacketProcess?
    package var source: Endpoint
    package var destination: Endpoint
    package var ethernet: EthernetHeader
    /// The length of the IP packet in bytes.
    package var internetLength: Int
    /// The header of a TCP packet; nil for UDP.
    package var tcp: TCPHeader?
    package var payload: [UInt8]
    /// Whether the checksums of both headers are correct.
    package var hasValidChecksums: Bool
    /// The whole frame.
    package var bytes: [UInt8]

    init(_ bytes: [UInt8], _ metadata: PacketMetadata, leg: String) throws {
        let span = bytes.span.bytes
        ethernet = try EthernetHeader(parsing: span)
        let (from, to, offset, length, isRight) = try Self.internet(span, ethernet.type)
        let header = try TransportPart(bytes, at: offset, upTo: EthernetHeader.size + length, from, to)
        guard EthernetHeader.size + length == bytes.count else { throw HelperError("bytes behind the packet") }
        self.leg = leg
        time = metadata.timestamp ?? 0
        flags = metadata.options.flags ?? []
        number = metadata.options.packetID
        comments = metadata.options.comments
        process = metadata.options.process
        source = Endpoint(address: from, port: header.ports.0)
        destination = Endpoint(address: to, port: header.ports.1)
        internetLength = length
        tcp = header.tcp
        payload = header.payload
        hasValidChecksums = isRight && header.isRight
        self.bytes = bytes
    }

    private static func internet(
        _ span: RawSpan,
        _ type: EtherType
    ) throws -> (IPAddress, IPAddress, Int, length: Int, isRight: Bool) {
        let start = EthernetHeader.size
        if type == .ipv4 {
            let header = try IPv4Header(parsing: span, at: start)
            let isRight = header.hasValidChecksum && header.flags == .dontFragment && header.timeToLive == 64
            let length = Int(header.totalLength)
            return (header.source, header.destination, start + header.size, length, isRight)
        }
        let header = try IPv6Header(parsing: span, at: start)
        let length = IPv6Header.size + Int(header.payloadLength)
        return (header.source, header.destination, start + IPv6Header.size, length, header.hopLimit == 64)
    }
}

/// The transport header of a frame, and the bytes after it.
private struct TransportPart {
    var tcp: TCPHeader?
    var ports: (UInt16, UInt16)
    var payload: [UInt8]
    var isRight: Bool

    init(_ bytes: [UInt8], at offset: Int, upTo end: Int, _ from: IPAddress, _ to: IPAddress) throws {
        let span = bytes.span.bytes
        let isTCP = bytes[from.isV4 ? 23 : 20] == IPProtocol.tcp.rawValue
        if isTCP {
            let header = try TCPHeader(parsing: span, at: offset)
            let content = Array(bytes[(offset + header.size)..<end])
            isRight = header.hasValidChecksum(from: from, to: to, payload: content.span.bytes)
            ports = (header.sourcePort, header.destinationPort)
            payload = content
            tcp = header
        } else {
            let header = try UDPHeader(parsing: span, at: offset)
            let content = Array(bytes[(offset + UDPHeader.size)..<end])
            let hasLength = Int(header.length) == UDPHeader.size + content.count
            let isSummed = header.checksum != 0
            isRight = hasLength && isSummed && header.hasValidChecksum(from: from, to: to, payload: content.span.bytes)
            ports = (header.sourcePort, header.destinationPort)
            payload = content
        }
    }
}

/// The contents of a capture file.
package struct SeenCapture: Sendable {
    package var packets: [SeenPacket] = []
    /// The blocks between the packets, in order.
    package var blocks: [CaptureBlock] = []
    /// The number of packets before each block.
    package var places: [Int] = []
    /// The error that ended the reading early.
    package var error: CaptureFileError?

    /// Reads a file of synthesised packets.
    package init(_ file: [UInt8]) throws {
        var reader = CaptureReader()
        var legs: [String] = []
        do {
            while let item = try reader.next(in: file.span.bytes) {
                switch item {
                case .block(let block):
                    if case .section = block { legs = [] }
                    if case .interface(let interface) = block {
                        legs.append(String((interface.name ?? "").drop { $0 != ":" }.dropFirst()))
                    }
                    blocks.append(block)
                    places.append(packets.count)
                case .packet(let packet):
                    let metadata = reader.metadata(of: packet, in: file.span.bytes)
                    let leg = legs.isEmpty ? "" : legs[Int(packet.interface)]
                    packets.append(try SeenPacket(Array(file[packet.range]), metadata, leg: leg))
                }
            }
            try reader.finish(at: file.count)
        } catch let error as CaptureFileError {
            self.error = error
        }
    }

    /// The interfaces.
    package var interfaces: [CaptureInterface] {
        blocks.compactMap { if case .interface(let interface) = $0 { interface } else { nil } }
    }

    /// The statistics of the interfaces.
    package var statistics: [CaptureStatistics] {
        blocks.compactMap { if case .statistics(let statistics) = $0 { statistics } else { nil } }
    }

    /// The names of addresses, block by block.
    package var names: [CaptureNames] {
        blocks.compactMap { if case .names(let names) = $0 { names } else { nil } }
    }

    /// The sections.
    package var sections: [CaptureSection] {
        blocks.compactMap { if case .section(let section) = $0 { section } else { nil } }
    }
}

extension SeenCapture {
    /// Each packet as a line: `client up PSH,ACK 1:1 (5)`, with numbers relative to the connection's first.
    package var lines: [String] {
        var first: [String: UInt32] = [:]
        return packets.map { packet in
            let way = "\(packet.leg) \(packet.flags.direction == 1 ? "up" : "down")"
            let length = packet.payload.isEmpty ? "" : " (\(packet.payload.count))"
            guard let tcp = packet.tcp else { return "\(way) datagram\(length.isEmpty ? " (0)" : length)" }
            let (key, back) = ("\(packet.source)-\(packet.destination)", "\(packet.destination)-\(packet.source)")
            if tcp.flags.contains(.syn) || first[key] == nil { first[key] = tcp.sequenceNumber }
            let sequence = tcp.sequenceNumber &- (first[key] ?? 0)
            let acknowledged = tcp.flags.contains(.ack) ? ":\(tcp.acknowledgmentNumber &- (first[back] ?? 0))" : ""
            return "\(way) \(Self.names(tcp.flags)) \(sequence)\(acknowledged)\(length)"
        }
    }

    private static func names(_ flags: TCPFlags) -> String {
        let all: [(TCPFlags, String)] = [(.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK")]
        return all.filter { flags.contains($0.0) }.map(\.1).joined(separator: ",")
    }
}
