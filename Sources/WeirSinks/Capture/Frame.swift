import WeirEngine
import WeirWire

/// One Ethernet frame, without its transport header and its payload.
struct Frame {
    var leg: FlowLeg
    var direction: Direction
    var source: Endpoint
    var destination: Endpoint
    /// The time of the packet, in ns since 1970 UTC.
    var time: Int64
    /// The number of the packet; frames with the same payload on both legs share a number.
    var number: UInt64
    /// The number of the process that sent the packet; nil if it is not known.
    var process: Int32?
    /// The comments on the packet.
    var comments: [String] = []

    /// Returns the size of the frame with a transport header and a payload, in bytes.
    func size(_ header: some TransportHeader, payload: Int) -> Int {
        let internet = source.address.isV4 ? IPv4Header.minimumSize : IPv6Header.size
        return EthernetHeader.size + internet + header.headerSize + payload
    }

    /// Returns the size of an IP and a TCP header without options for a kind of address, in bytes.
    static func headersSize(_ address: IPAddress) -> Int {
        (address.isV4 ? IPv4Header.minimumSize : IPv6Header.size) + TCPHeader.minimumSize
    }

    /// Writes the frame to the start of a buffer of at least `size` bytes, or without its payload if it is cut.
    ///
    /// - Parameters:
    ///   - header: the transport header; its checksum is set here.
    ///   - payload: the bytes after the header.
    ///   - sum: the checksum of the payload.
    ///   - isCut: whether the payload is left out, and only its length counts.
    ///   - room: receives the bytes.
    /// - Returns: the number of bytes written.
    func write(
        _ header: some TransportHeader,
        _ payload: RawSpan,
        _ sum: Checksum,
        isCut: Bool = false,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        var header = header
        let (from, to, count) = (source.address, destination.address, payload.byteCount)
        header.setChecksum(from: from, to: to, payload: sum, count: count)
        let ethernet = EthernetHeader(
            destination: MACAddress(standingFor: to),
            source: MACAddress(standingFor: from),
            type: from.isV4 ? .ipv4 : .ipv6
        )
        var offset = ethernet.emit(into: room)
        offset += writeInternetHeader(
            type(of: header).number,
            header.headerSize + count,
            into: UnsafeMutableRawBufferPointer(rebasing: room[offset...])
        )
        offset += header.emit(into: UnsafeMutableRawBufferPointer(rebasing: room[offset...]))
        guard !isCut else { return offset }
        payload.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: room[offset...]).copyMemory(from: $0) }
        return offset + count
    }

    private func writeInternetHeader(
        _ number: IPProtocol,
        _ length: Int,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard source.address.isV4 else {
            let header = IPv6Header(
                source: source.address,
                destination: destination.address,
                nextHeader: number,
                payloadLength: length
            )
            return header.emit(into: room)
        }
        var header = IPv4Header(
            source: source.address,
            destination: destination.address,
            protocol: number,
            payloadLength: length
        )
        header.flags = .dontFragment
        header.setChecksum()
        return header.emit(into: room)
    }
}

/// The common parts of the TCP and UDP headers.
protocol TransportHeader {
    /// The number of the protocol in the IP header.
    static var number: IPProtocol { get }
    /// The size of the header with its options, in bytes.
    var headerSize: Int { get }
    /// Sets the checksum of the header, for a payload with a known sum and length in bytes.
    mutating func setChecksum(from source: IPAddress, to destination: IPAddress, payload: Checksum, count: Int)
    /// Writes the header to the start of a buffer, and returns its length in bytes.
    func emit(into room: UnsafeMutableRawBufferPointer) -> Int
}

extension TCPHeader: TransportHeader {
    static var number: IPProtocol { .tcp }
    var headerSize: Int { size }
}

extension UDPHeader: TransportHeader {
    static var number: IPProtocol { .udp }
    var headerSize: Int { UDPHeader.size }
}

extension MACAddress {
    /// Creates a plausible address for an interface: zero on the loopback, else a locally administered one derived from
    /// the IP address.
    init(standingFor address: IPAddress) {
        guard !address.isLoopback else {
            self = .zero
            return
        }
        // An IPv6 address has more bits than fit: its halves are mixed, so that neighbors differ.
        let bits = address.isV4 ? UInt64(address.v4) : address.low ^ (address.high &* 0x9E37_79B9_7F4A_7C15) >> 24
        self.init(0x02 << 40 | bits & 0xff_ffff_ffff)
    }
}
