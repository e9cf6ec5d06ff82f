/// The source and the destination of a captured packet, as far as its bytes show them.
///
/// Reads the headers from the link layer up to TCP or UDP. A missing, truncated or unknown header leaves the remaining
/// properties empty: a fragment has addresses and no ports, and ARP has neither. Of IPv6's extension headers only the
/// fragment header is read.
///
/// Source: RFC 894, RFC 791, RFC 8200, RFC 9293, RFC 768; https://www.tcpdump.org/linktypes.html.
public struct PacketEnds: Hashable, Sendable {
    /// The EtherType; nil if the link layer has none.
    public private(set) var etherType: EtherType?
    /// The protocol after the IP header.
    public private(set) var ipProtocol: IPProtocol?
    /// The sender's address and port; the port is 0 if there is none.
    public private(set) var source: Endpoint?
    /// The receiver's address and port.
    public private(set) var destination: Endpoint?
    /// Whether the packet is a fragment other than the first.
    public private(set) var isLaterFragment = false
    /// The control bits of a TCP segment.
    public private(set) var flags: TCPFlags?
    /// The number of bytes after the last header that was read, according to the headers' lengths.
    public private(set) var payloadLength: Int

    /// The key of the flow's leg that the packet belongs to; nil unless there is a whole header of TCP or UDP.
    public private(set) var tuple: FiveTuple?

    /// Reads a packet.
    ///
    /// - Parameters:
    ///   - bytes: The captured bytes of the packet.
    ///   - linkType: The kind of its first header.
    ///   - originalLength: Its length on the wire in bytes.
    public init(_ bytes: RawSpan, _ linkType: LinkType, originalLength: Int) {
        payloadLength = originalLength
        guard let (type, offset) = Self.readLink(bytes, linkType) else { return }
        etherType = type
        payloadLength = max(0, originalLength - offset)
        switch type {
        case .ipv4: readIPv4(bytes, at: offset)
        case .ipv6: readIPv6(bytes, at: offset)
        default: break
        }
    }

    /// Finds the EtherType of the packet, and the offset of what follows.
    private static func readLink(_ bytes: RawSpan, _ linkType: LinkType) -> (EtherType, Int)? {
        switch linkType {
        case .ethernet: return ethernet(bytes, typeAt: 12)
        case .linuxSLL: return ethernet(bytes, typeAt: 14)
        case .linuxSLL2: return number(bytes, at: 0).map { (EtherType(rawValue: $0), 20) }
        case .raw, .ipv4, .ipv6: return internet(bytes, at: 0)
        case .null, .loop: return internet(bytes, at: 4)
        default: return nil
        }
    }

    /// Reads the EtherType after up to two tags of IEEE 802.1Q.
    private static func ethernet(_ bytes: RawSpan, typeAt offset: Int) -> (EtherType, Int)? {
        var place = offset
        for _ in 0..<2 {
            guard let value = number(bytes, at: place) else { return nil }
            let type = EtherType(rawValue: value)
            guard type == .vlan || type == .serviceVLAN else { return (type, place + 2) }
            place += 4
        }
        return number(bytes, at: place).map { (EtherType(rawValue: $0), place + 2) }
    }

    /// Reads the version of an IP packet without a link layer.
    private static func internet(_ bytes: RawSpan, at offset: Int) -> (EtherType, Int)? {
        guard bytes.byteCount > offset else { return nil }
        switch bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) >> 4 {
        case 4: return (.ipv4, offset)
        case 6: return (.ipv6, offset)
        default: return nil
        }
    }

    private static func number(_ bytes: RawSpan, at offset: Int) -> UInt16? {
        guard bytes.byteCount >= offset + 2 else { return nil }
        return bytes.load(HeaderNumber<UInt16>(at: 0), at: offset)
    }
}

extension PacketEnds {
    private mutating func readIPv4(_ bytes: RawSpan, at offset: Int) {
        guard let header = try? IPv4Header(parsing: bytes, at: offset) else { return }
        let length = header.totalLength == 0 ? payloadLength : Int(header.totalLength)
        isLaterFragment = header.fragmentUnits != 0
        readTransport(
            bytes,
            header.protocol,
            header.source,
            header.destination,
            offset + header.size,
            length - header.size
        )
    }

    private mutating func readIPv6(_ bytes: RawSpan, at offset: Int) {
        guard let header = try? IPv6Header(parsing: bytes, at: offset) else { return }
        var (next, place, length) = (header.nextHeader, offset + IPv6Header.size, Int(header.payloadLength))
        if header.payloadLength == 0 { length = payloadLength - IPv6Header.size }
        // RFC 8200 section 4.5: next header, reserved, offset in units of 8 bytes and 3 bits, identification.
        if next.rawValue == 44, bytes.byteCount >= place + 8, let fragment = Self.number(bytes, at: place + 2) {
            next = IPProtocol(rawValue: bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))
            isLaterFragment = fragment >> 3 != 0
            place += 8
            length -= 8
        }
        readTransport(bytes, next, header.source, header.destination, place, length)
    }

    private mutating func readTransport(
        _ bytes: RawSpan,
        _ number: IPProtocol,
        _ sender: IPAddress,
        _ receiver: IPAddress,
        _ offset: Int,
        _ length: Int
    ) {
        ipProtocol = number
        payloadLength = max(0, length)
        source = Endpoint(address: sender, port: 0)
        destination = Endpoint(address: receiver, port: 0)
        guard !isLaterFragment, let transport = Transport(number) else { return }
        let (from, to, size): (UInt16, UInt16, Int)
        switch transport {
        case .tcp:
            guard let header = try? TCPHeader(parsing: bytes, at: offset) else { return }
            (from, to, size) = (header.sourcePort, header.destinationPort, header.size)
            flags = header.flags
        case .udp:
            guard let header = try? UDPHeader(parsing: bytes, at: offset) else { return }
            (from, to, size) = (header.sourcePort, header.destinationPort, UDPHeader.size)
        }
        payloadLength = max(0, length - size)
        let ends = (Endpoint(address: sender, port: from), Endpoint(address: receiver, port: to))
        (source, destination) = ends
        tuple = FiveTuple(transport: transport, source: ends.0, destination: ends.1)
    }
}
