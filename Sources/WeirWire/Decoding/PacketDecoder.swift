/// A decoder of the packets of a capture, one after another, which reassembles their fragments.
///
/// A fragment alone belongs to no flow. The packet with the last missing fragment gets the whole datagram, as in
/// Wireshark. A packet without fragments costs no allocation.
///
///     var decoder = PacketDecoder()
///     var packet = DecodedPacket()
///     decoder.decode(bytes, linkType: .ethernet, into: &packet)
///     if let segment = packet.tcp { ... }
public struct PacketDecoder: ~Copyable, Sendable {
    /// The reassembler of the fragments, with its counters.
    public private(set) var reassembler: FragmentReassembler
    /// The datagrams that the last packet completed, one after the other.
    private var datagrams = ByteBuffer(capacity: 0)

    /// Creates a decoder that waits for fragments within limits.
    public init(limits: FragmentReassembler.Limits = .init()) {
        reassembler = FragmentReassembler(limits: limits)
    }

    /// Returns whether Weir decodes packets of a link type.
    public static func reads(_ linkType: LinkType) -> Bool {
        if case .unsupported = PacketWalk(linkType, end: 0, leavesFragments: false).next { false } else { true }
    }

    /// Decodes a packet.
    ///
    /// - Parameters:
    ///   - bytes: The captured bytes. Any bytes are allowed.
    ///   - linkType: The outermost header.
    ///   - originalLength: The packet's length on the wire in bytes; nil if it was captured whole.
    ///   - packet: Receives the decoded packet; its old content is discarded.
    public mutating func decode(
        _ bytes: RawSpan,
        linkType: LinkType,
        originalLength: Int? = nil,
        into packet: inout DecodedPacket
    ) {
        packet.removeAll()
        if !datagrams.isEmpty { datagrams.removeAll() }
        var walk = PacketWalk(linkType, end: max(originalLength ?? 0, bytes.byteCount), leavesFragments: true)
        walk.run(bytes, into: &packet)
        if packet.fragment != nil { reassemble(bytes, &walk, &packet) }
    }

    /// Lends the reassembled bytes, which the ranges of a packet refer to if they are marked as reassembled.
    ///
    /// - body: Reads the datagrams that the last packet completed; no bytes if it completed none.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public borrowing func withReassembledBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try datagrams.withUnsafeBytes { bytes throws(Failure) in try body(bytes.bytes) }
    }

    /// Continues with the datagram that a fragment completes, which may itself hold a fragment.
    private mutating func reassemble(_ bytes: RawSpan, _ walk: inout PacketWalk, _ packet: inout DecodedPacket) {
        var whole = packet.fragment.flatMap { reassembler.insert($0, of: bytes, into: &datagrams) }
        while let datagram = whole {
            packet.fragment = nil
            walk.resume(datagram)
            datagrams.withUnsafeBytes { walk.run($0.bytes, into: &packet) }
            guard let inner = packet.fragment else { return }
            // Copied first: the buffer that it is in may move when the datagram is appended.
            let copy = datagrams.withUnsafeBytes { Array($0) }
            whole = reassembler.insert(inner, of: copy.span.bytes, into: &datagrams)
        }
    }
}

extension PacketWalk {
    /// Continues in a reassembled datagram.
    mutating func resume(_ datagram: ReassembledDatagram) {
        next = .internet(datagram.protocol)
        offset = datagram.range.lowerBound
        end = datagram.range.upperBound
        isReassembled = true
    }
}
