/// The header of an IPv6 packet.
///
/// ```
///  0 version 6, traffic class (8 bits), flow label (20 bits)
///  4 payload length    6 next header    7 hop limit
///  8 source           24 destination
/// ```
/// The header is emitted as it was parsed, byte for byte.
///
/// Source: RFC 8200 section 3.
public struct IPv6Header: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 40

    /// The DSCP and, in the low 2 bits, the ECN field.
    public var trafficClass: UInt8 = 0
    /// The label by which routers may distinguish flows; 20 bits.
    public var flowLabel: UInt32 = 0
    /// The length of everything after the header in bytes, extension headers included; 0 in a jumbogram.
    public var payloadLength: UInt16
    /// The protocol that follows.
    public var nextHeader: IPProtocol
    /// The maximum number of routers that may still forward the packet.
    public var hopLimit: UInt8 = 64
    /// The sender's address.
    public var source: IPAddress
    /// The receiver's address.
    public var destination: IPAddress

    /// Creates a header with hop limit 64.
    ///
    /// - Parameters:
    ///   - source: The sender.
    ///   - destination: The receiver.
    ///   - nextHeader: The protocol that follows.
    ///   - payloadLength: The length of everything after the header, in bytes.
    /// - Precondition: `payloadLength` is between 0 and 65,535.
    public init(source: IPAddress, destination: IPAddress, nextHeader: IPProtocol, payloadLength: Int) {
        self.source = source
        self.destination = destination
        self.nextHeader = nextHeader
        self.payloadLength = UInt16(payloadLength)
    }

    private enum Layout {
        static let versionClassLabel = HeaderNumber<UInt32>(at: 0)
        static let payloadLength = HeaderNumber<UInt16>(at: 4)
        static let nextHeader = HeaderNumber<UInt8>(at: 6)
        static let hopLimit = HeaderNumber<UInt8>(at: 7)
        static let sourceHigh = HeaderNumber<UInt64>(at: 8)
        static let sourceLow = HeaderNumber<UInt64>(at: 16)
        static let destinationHigh = HeaderNumber<UInt64>(at: 24)
        static let destinationLow = HeaderNumber<UInt64>(at: 32)
    }
}

extension IPv6Header {
    /// Parses the header at an offset.
    ///
    /// The payload may be missing.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 6.
    @inline(__always)
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let first = bytes.load(Layout.versionClassLabel, at: offset)
        guard first >> 28 == 6 else { throw .malformed(.ipv6Version, at: offset) }
        self.trafficClass = UInt8(truncatingIfNeeded: first >> 20)
        self.flowLabel = first & 0xf_ffff
        self.payloadLength = bytes.load(Layout.payloadLength, at: offset)
        self.nextHeader = IPProtocol(rawValue: bytes.load(Layout.nextHeader, at: offset))
        self.hopLimit = bytes.load(Layout.hopLimit, at: offset)
        self.source = IPAddress(
            v6: bytes.load(Layout.sourceHigh, at: offset),
            low: bytes.load(Layout.sourceLow, at: offset)
        )
        self.destination = IPAddress(
            v6: bytes.load(Layout.destinationHigh, at: offset),
            low: bytes.load(Layout.destinationLow, at: offset)
        )
    }

    /// Appends the 40 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { emit(into: $0) }
    }

    /// Writes the 40 bytes of the header to the start of a buffer, and returns their number.
    ///
    /// - Precondition: The buffer has 40 bytes.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(Self.size)
        let first = 6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xf_ffff
        room.store(first, in: Layout.versionClassLabel)
        room.store(payloadLength, in: Layout.payloadLength)
        room.store(nextHeader.rawValue, in: Layout.nextHeader)
        room.store(hopLimit, in: Layout.hopLimit)
        room.store(source.high, in: Layout.sourceHigh)
        room.store(source.low, in: Layout.sourceLow)
        room.store(destination.high, in: Layout.destinationHigh)
        room.store(destination.low, in: Layout.destinationLow)
        return Self.size
    }
}
