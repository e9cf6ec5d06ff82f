/// The header of an IPv4 packet.
///
/// ```
///  0 version 4, header length in words   1 differentiated services   2 total length
///  4 identification                      6 flags, fragment offset in units of 8 bytes
///  8 time to live    9 protocol         10 checksum
/// 12 source                             16 destination               20 options, 0 to 40 bytes
/// ```
/// The header is emitted as it was parsed, byte for byte.
///
/// Source: RFC 791 section 3.1, RFC 2474 section 3, RFC 3168 section 5.
public struct IPv4Header: Hashable, Sendable {
    /// The size of a header without options, in bytes.
    public static let minimumSize = 20

    /// The DSCP and, in the low 2 bits, the ECN field.
    public var differentiatedServices: UInt8 = 0
    /// The length of header and payload in bytes; 0 if the sender left segmentation to its interface.
    public var totalLength: UInt16
    /// The identification that the fragments of one packet share.
    public var identification: UInt16 = 0
    /// The fragmentation flags.
    public var flags: IPv4Flags = []
    /// The fragment's offset in the packet, in units of 8 bytes; 0 to 8191.
    public var fragmentUnits: UInt16 = 0
    /// The maximum number of routers that may still forward the packet.
    public var timeToLive: UInt8 = 64
    /// The protocol that follows.
    public var `protocol`: IPProtocol
    /// The checksum of the header, as on the wire.
    public var checksum: UInt16 = 0
    /// The 32 bits of the sender's address, in host order.
    public var sourceBits: UInt32
    /// The 32 bits of the receiver's address, in host order.
    public var destinationBits: UInt32
    /// The options.
    public var options = IPv4Options()

    /// Creates a header without options, with time to live 64; the checksum is not set yet.
    ///
    /// - Parameters:
    ///   - source: The sender; for an IPv6 address its last 32 bits.
    ///   - destination: The receiver; for an IPv6 address its last 32 bits.
    ///   - protocol: The protocol that follows.
    ///   - payloadLength: The length of the payload in bytes.
    /// - Precondition: `payloadLength` is between 0 and 65,515.
    public init(source: IPAddress, destination: IPAddress, protocol: IPProtocol, payloadLength: Int) {
        self.sourceBits = source.v4
        self.destinationBits = destination.v4
        self.protocol = `protocol`
        self.totalLength = UInt16(Self.minimumSize + payloadLength)
    }

    private enum Layout {
        static let versionAndLength = HeaderNumber<UInt8>(at: 0)
        static let differentiatedServices = HeaderNumber<UInt8>(at: 1)
        static let totalLength = HeaderNumber<UInt16>(at: 2)
        static let identification = HeaderNumber<UInt16>(at: 4)
        static let fragment = HeaderNumber<UInt16>(at: 6)
        static let timeToLive = HeaderNumber<UInt8>(at: 8)
        static let `protocol` = HeaderNumber<UInt8>(at: 9)
        static let checksum = HeaderNumber<UInt16>(at: 10)
        static let source = HeaderNumber<UInt32>(at: 12)
        static let destination = HeaderNumber<UInt32>(at: 16)
    }
}

/// The fragmentation flags of an IPv4 packet.
///
/// Source: RFC 791 section 3.1.
@frozen
public struct IPv4Flags: OptionSet, Hashable, Sendable {
    /// The three bits, the reserved one first.
    public let rawValue: UInt8

    /// Creates flags from the low three bits of a number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue & 7
    }

    /// More fragments of the packet follow this one.
    @inlinable
    public static var moreFragments: IPv4Flags { IPv4Flags(rawValue: 1) }
    /// The packet must not be fragmented.
    @inlinable
    public static var dontFragment: IPv4Flags { IPv4Flags(rawValue: 2) }
}

extension IPv4Header {
    /// The sender's address.
    public var source: IPAddress { IPAddress(v4: sourceBits) }
    /// The receiver's address.
    public var destination: IPAddress { IPAddress(v4: destinationBits) }
    /// The final destination of the packet: the last router of a source route, if it still has routers to visit.
    ///
    /// The checksums of TCP and UDP cover this address (RFC 1122 section 4.1.3.6).
    @inline(__always)
    public var finalDestination: IPAddress { options.bytes.count == 0 ? destination : lastStop }

    private var lastStop: IPAddress {
        for case .route(let route) in options where route.kind != .record && route.next < route.count {
            return route[route.count - 1]
        }
        return destination
    }
    /// The size of the header with its options, in bytes.
    public var size: Int { Self.minimumSize + options.bytes.paddedCount }
    /// The fragment's offset in the packet, in bytes.
    public var fragmentOffset: Int { Int(fragmentUnits) * 8 }
    /// Whether this packet is a fragment.
    public var isFragment: Bool { fragmentUnits != 0 || flags.contains(.moreFragments) }

    /// Parses the header at an offset.
    ///
    /// The payload may be missing.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 4 or a length is shorter than the header. A total
    ///   length of 0 is accepted.
    @inline(__always)
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let first = bytes.load(Layout.versionAndLength, at: offset)
        guard first >> 4 == 4 else { throw .malformed(.ipv4Version, at: offset) }
        let size = Int(first & 0xf) &* 4
        guard size >= Self.minimumSize else { throw .malformed(.ipv4HeaderLength, at: offset) }
        try bytes.require(size, at: offset)
        self.totalLength = bytes.load(Layout.totalLength, at: offset)
        guard totalLength == 0 || Int(totalLength) >= size else {
            throw .malformed(.ipv4TotalLength, at: offset &+ Layout.totalLength.offset)
        }
        self.differentiatedServices = bytes.load(Layout.differentiatedServices, at: offset)
        self.identification = bytes.load(Layout.identification, at: offset)
        let fragment = bytes.load(Layout.fragment, at: offset)
        self.flags = IPv4Flags(rawValue: UInt8(truncatingIfNeeded: fragment >> 13))
        self.fragmentUnits = fragment & 0x1fff
        self.timeToLive = bytes.load(Layout.timeToLive, at: offset)
        self.protocol = IPProtocol(rawValue: bytes.load(Layout.protocol, at: offset))
        self.checksum = bytes.load(Layout.checksum, at: offset)
        self.sourceBits = bytes.load(Layout.source, at: offset)
        self.destinationBits = bytes.load(Layout.destination, at: offset)
        if size > Self.minimumSize {
            options.bytes = OptionBytes(parsing: bytes, from: offset &+ Self.minimumSize, to: offset &+ size)
        }
    }

    /// The fields of a header without options and of no fragment that the decoder needs to reach the transport.
    struct Plain {
        let totalLength: Int
        let `protocol`: IPProtocol
        let source: UInt32
        let destination: UInt32
    }

    /// Reads a header that has no options, is no fragment and has its length set; nil for any other header.
    ///
    /// - Precondition: There are 20 bytes.
    @inline(__always)
    static func plain(in bytes: RawSpan, at offset: Int) -> Plain? {
        let totalLength = Int(bytes.load(Layout.totalLength, at: offset))
        guard bytes.load(Layout.versionAndLength, at: offset) == 0x45, totalLength >= minimumSize,
            bytes.load(Layout.fragment, at: offset) & 0x3fff == 0
        else { return nil }
        return Plain(
            totalLength: totalLength,
            protocol: IPProtocol(rawValue: bytes.load(Layout.protocol, at: offset)),
            source: bytes.load(Layout.source, at: offset),
            destination: bytes.load(Layout.destination, at: offset)
        )
    }

    /// Appends the bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { emit(into: $0) }
    }

    /// Writes the bytes of the header as it is to the start of a buffer, and returns their number.
    ///
    /// - Precondition: The buffer has as many bytes as `size` says.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(size)
        room.store(versionAndLength, in: Layout.versionAndLength)
        room.store(differentiatedServices, in: Layout.differentiatedServices)
        room.store(totalLength, in: Layout.totalLength)
        room.store(identification, in: Layout.identification)
        room.store(fragmentWord, in: Layout.fragment)
        room.store(timeToLive, in: Layout.timeToLive)
        room.store(`protocol`.rawValue, in: Layout.protocol)
        room.store(checksum, in: Layout.checksum)
        room.store(sourceBits, in: Layout.source)
        room.store(destinationBits, in: Layout.destination)
        return Self.minimumSize &+ options.bytes.emit(into: room, at: Self.minimumSize)
    }

    /// Computes and sets the checksum.
    public mutating func setChecksum() {
        checksum = 0
        checksum = sum.value
    }

    /// Whether the checksum is correct.
    public var hasValidChecksum: Bool { sum.isValid }

    private var sum: Checksum {
        var sum = Checksum()
        sum.add(UInt16(versionAndLength) << 8 | UInt16(differentiatedServices))
        sum.add(UInt32(totalLength) << 16 | UInt32(identification))
        sum.add(UInt32(fragmentWord) << 16 | UInt32(timeToLive) << 8 | UInt32(`protocol`.rawValue))
        sum.add(checksum)
        sum.add(sourceBits)
        sum.add(destinationBits)
        options.bytes.add(to: &sum)
        return sum
    }

    private var versionAndLength: UInt8 { 0x40 | UInt8(truncatingIfNeeded: size >> 2) }
    private var fragmentWord: UInt16 { UInt16(flags.rawValue) << 13 | fragmentUnits & 0x1fff }
}
