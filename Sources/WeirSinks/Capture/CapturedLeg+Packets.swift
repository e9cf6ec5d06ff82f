import WeirWire

// The packets themselves.
extension CapturedLeg {
    private static let window: UInt16 = 65_535
    private static let windowScale: UInt8 = 7
    /// The maximum size of an Ethernet packet, in bytes: a longer one represents several.
    private static let ethernetPacket = 1500

    /// Writes one packet of a connection, and advances the sequence numbers.
    ///
    /// - Parameters:
    ///   - flags: its flags.
    ///   - direction: its direction.
    ///   - payload: its payload.
    ///   - sum: the checksum of the payload.
    ///   - number: the packet's number; nil for a new one.
    ///   - time: its time, in ns since 1970 UTC.
    ///   - frames: the writer of the file.
    ///   - output: receives the packet.
    mutating func send(
        _ flags: TCPFlags,
        _ direction: Direction,
        _ payload: RawSpan = RawSpan(),
        _ sum: Checksum = Checksum(),
        _ number: UInt64? = nil,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let isAcknowledging = flags.contains(.ack)
        let acknowledged = isAcknowledging ? self[direction.opposite].next : 0
        let frame = frame(direction, number ?? frames.takeNumbers(), at: time, frames.file)
        let header = TCPHeader(
            sourcePort: frame.source.port,
            destinationPort: frame.destination.port,
            sequenceNumber: self[direction].next,
            acknowledgmentNumber: acknowledged,
            flags: flags,
            window: Self.window,
            options: flags.contains(.syn) ? options(largestPacket: frames.settings.largestPacket) : TCPOptions()
        )
        let isOne = initiator.address.isLoopback || payload.byteCount + headersSize <= Self.ethernetPacket
        frames.append(frame, header, payload, sum, isOne ? [] : .segmented, to: &output)
        let length = payload.byteCount + (flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1)
        self[direction].next &+= UInt32(truncatingIfNeeded: length)
        if isAcknowledging { self[direction].acknowledged = acknowledged }
    }

    /// Writes a datagram.
    mutating func sendDatagram(
        _ payload: RawSpan,
        _ direction: Direction,
        with peer: Endpoint?,
        _ number: UInt64,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let limit = 65_535 - UDPHeader.size - (initiator.address.isV4 ? IPv4Header.minimumSize : 0)
        guard payload.byteCount <= limit else {
            // An IPv6 client may send more than fits into an IPv4 datagram: the kernel sent no such packet.
            return note("a datagram of \(payload.byteCount) bytes \(direction) is longer than this leg carries")
        }
        let frame = frame(direction, number, with: peer, at: time, frames.file)
        let header = UDPHeader(
            sourcePort: frame.source.port,
            destinationPort: frame.destination.port,
            payloadLength: payload.byteCount
        )
        frames.append(frame, header, payload, frames.pieces.first?.sum ?? Checksum(), to: &output)
    }

    private mutating func frame(
        _ direction: Direction,
        _ number: UInt64,
        with peer: Endpoint? = nil,
        at time: Int64,
        _ file: UInt32
    ) -> Frame {
        let isUpstream = direction == .upstream
        let responder = peer ?? responder
        return Frame(
            leg: leg,
            direction: direction,
            source: isUpstream ? initiator : responder,
            destination: isUpstream ? responder : initiator,
            time: time,
            number: number,
            process: sender(of: direction),
            comments: takeComments(in: file)
        )
    }

    /// The size of an IP and a TCP header without options, in bytes.
    private var headersSize: Int { Frame.headersSize(initiator.address) }

    private func options(largestPacket: Int) -> TCPOptions {
        var options = TCPOptions()
        options.append(.maximumSegmentSize(UInt16(clamping: largestPacket - headersSize)))
        options.append(.noOperation)
        options.append(.windowScale(Self.windowScale))
        return options
    }
}
