import WeirWire

/// Describes one Ethernet frame, but for its transport header and its payload.
struct Frame {
    var leg: FlowLeg
    var direction: Direction
    var source: Endpoint
    var destination: Endpoint
    /// Holds when it is to have been seen, in nanoseconds since 1970 UTC.
    var time: Int64
    /// Numbers it; frames with the same payload on both legs share a number.
    var number: UInt64
    /// Holds what is said about it.
    var comments: [String] = []

    /// Counts the bytes of the frame with a transport header and a payload of so many bytes.
    func size(_ header: some TransportHeader, payload: Int) -> Int {
        let internet = source.address.isV4 ? IPv4Header.minimumSize : IPv6Header.size
        return EthernetHeader.size + internet + header.headerSize + payload
    }

    /// Counts the bytes of an IP and a TCP header without options, between addresses like this one.
    static func headersSize(_ address: IPAddress) -> Int {
        (address.isV4 ? IPv4Header.minimumSize : IPv6Header.size) + TCPHeader.minimumSize
    }

    /// Writes the frame to the start of a room that has as many bytes as `size` says.
    ///
    /// - Parameters:
    ///   - header: the transport header; its checksum is set here.
    ///   - payload: what follows it.
    ///   - sum: the sum of the payload.
    ///   - room: where the bytes go.
    /// - Returns: how many bytes the frame has.
    func write(
        _ header: some TransportHeader,
        _ payload: RawSpan,
        _ sum: Checksum,
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

/// Is what TCP's and UDP's headers have in common.
protocol TransportHeader {
    /// Is what the IP header calls it.
    static var number: IPProtocol { get }
    /// Gives the size of the header with its options in bytes.
    var headerSize: Int { get }
    /// Puts the right checksum into the header, for a payload whose sum and length in bytes are known.
    mutating func setChecksum(from source: IPAddress, to destination: IPAddress, payload: Checksum, count: Int)
    /// Writes the header to the start of a room, and returns how many bytes it has.
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
    /// Makes the address that an interface would have: none on the loopback, else a locally administered one that the
    /// IP address gives.
    init(standingFor address: IPAddress) {
        guard !address.isLoopback else {
            self = .zero
            return
        }
        // An IPv6 address has more bits than fit: its halves are mixed, so that neighbours stay apart.
        let bits = address.isV4 ? UInt64(address.v4) : address.low ^ (address.high &* 0x9E37_79B9_7F4A_7C15) >> 24
        self.init(0x02 << 40 | bits & 0xff_ffff_ffff)
    }
}
