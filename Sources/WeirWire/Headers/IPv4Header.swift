/// Holds the header of an IPv4 packet.
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
    /// Gives the size of a header without options in bytes.
    public static let minimumSize = 20

    /// Holds the code point and, in the low 2 bits, the congestion mark.
    public var differentiatedServices: UInt8 = 0
    /// Holds the length of header and payload in bytes; 0 where the sender left it to its interface to cut the packet.
    public var totalLength: UInt16
    /// Names the packet that a fragment is of.
    public var identification: UInt16 = 0
    /// Says what may be, and what was, cut.
    public var flags: IPv4Flags = []
    /// Holds where in the packet a fragment's payload belongs, in units of 8 bytes; 0 to 8191.
    public var fragmentUnits: UInt16 = 0
    /// Holds how many more routers may pass the packet on.
    public var timeToLive: UInt8 = 64
    /// Names what follows.
    public var `protocol`: IPProtocol
    /// Holds the checksum of the header, as on the wire.
    public var checksum: UInt16 = 0
    /// Holds the 32 bits of the sender's address in host order.
    public var sourceBits: UInt32
    /// Holds the 32 bits of the receiver's address in host order.
    public var destinationBits: UInt32
    /// Holds the options.
    public var options = IPv4Options()

    /// Creates a header without options, with time to live 64; its checksum is still to be set.
    ///
    /// - Parameters:
    ///   - source: The sender; for an IPv6 address its last 32 bits.
    ///   - destination: The receiver; for an IPv6 address its last 32 bits.
    ///   - protocol: What follows.
    ///   - payloadLength: What follows in bytes.
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

/// Says what may be, and what was, cut of an IPv4 packet.
///
/// Source: RFC 791 section 3.1.
@frozen
public struct IPv4Flags: OptionSet, Hashable, Sendable {
    /// Holds the three bits, the reserved one first.
    public let rawValue: UInt8

    /// Creates flags from the low three bits of a number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue & 7
    }

    /// Says that more fragments of the packet follow this one.
    @inlinable
    public static var moreFragments: IPv4Flags { IPv4Flags(rawValue: 1) }
    /// Says that the packet may not be cut.
    @inlinable
    public static var dontFragment: IPv4Flags { IPv4Flags(rawValue: 2) }
}

extension IPv4Header {
    /// Gives the sender's address.
    public var source: IPAddress { IPAddress(v4: sourceBits) }
    /// Gives the receiver's address.
    public var destination: IPAddress { IPAddress(v4: destinationBits) }
    /// Gives where the packet goes in the end: past the routers that it still has to visit, if there are such.
    ///
    /// TCP and UDP count this address into their checksum (RFC 1122 section 4.1.3.6).
    @inline(__always)
    public var finalDestination: IPAddress { options.bytes.count == 0 ? destination : lastStop }

    private var lastStop: IPAddress {
        for case .route(let route) in options where route.kind != .record && route.next < route.count {
            return route[route.count - 1]
        }
        return destination
    }
    /// Gives the size of the header with its options in bytes.
    public var size: Int { Self.minimumSize + options.bytes.paddedCount }
    /// Gives where in the packet a fragment's payload belongs, in bytes.
    public var fragmentOffset: Int { Int(fragmentUnits) * 8 }
    /// Says whether this packet is one of several that make up another.
    public var isFragment: Bool { fragmentUnits != 0 || flags.contains(.moreFragments) }

    /// Parses the header that begins at an offset.
    ///
    /// The payload need not be there.
    ///
    /// - Throws: `truncated`; `malformed` where the version is not 4 or a length is shorter than the header. A total
    ///   length of 0 is let through.
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

    /// Holds what the way to the transport needs of a header that has no options and is of no fragment.
    struct Plain {
        let totalLength: Int
        let `protocol`: IPProtocol
        let source: UInt32
        let destination: UInt32
    }

    /// Reads a header that has no options, is of no fragment and gives its length; nil where it is another one.
    ///
    /// - Precondition: 20 bytes are there.
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

    /// Writes the bytes of the header as it is to the start of a room, and returns how many they are.
    ///
    /// - Precondition: The room has as many bytes as `size` says.
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

    /// Puts the right checksum into the header.
    public mutating func setChecksum() {
        checksum = 0
        checksum = sum.value
    }

    /// Says whether the checksum is right.
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
