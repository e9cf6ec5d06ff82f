/// Holds the header of an Ethernet frame.
///
/// ```
///  0      6      12      14
/// | to   | from | type  |
/// ```
/// A frame of IEEE 802.3 has its length, at most 1500, where the type is. The frame check sequence is not part of it.
///
/// Source: RFC 894, IEEE Std 802.3-2018 section 3.2.
public struct EthernetHeader: Hashable, Sendable {
    /// Gives the size of the header in bytes.
    public static let size = 14

    /// Names the interface that the frame is for.
    public var destination: MACAddress
    /// Names the interface that sent the frame.
    public var source: MACAddress
    /// Names what follows.
    public var type: EtherType

    /// Creates a header from its parts.
    public init(destination: MACAddress, source: MACAddress, type: EtherType) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    private enum Layout {
        static let destinationHigh = HeaderNumber<UInt16>(at: 0)
        static let destinationLow = HeaderNumber<UInt32>(at: 2)
        static let sourceHigh = HeaderNumber<UInt16>(at: 6)
        static let sourceLow = HeaderNumber<UInt32>(at: 8)
        static let type = HeaderNumber<UInt16>(at: 12)
    }
}

extension EthernetHeader {
    /// Parses the header that begins at an offset.
    ///
    /// - Throws: `DecodeError.truncated` where there are under 14 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.destination = MACAddress(
            UInt64(bytes.load(Layout.destinationHigh, at: offset)) << 32
                | UInt64(bytes.load(Layout.destinationLow, at: offset))
        )
        self.source = MACAddress(
            UInt64(bytes.load(Layout.sourceHigh, at: offset)) << 32
                | UInt64(bytes.load(Layout.sourceLow, at: offset))
        )
        self.type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }

    /// Appends the 14 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { emit(into: $0) }
    }

    /// Writes the 14 bytes of the header to the start of a room, and returns how many they are.
    ///
    /// - Precondition: The room has 14 bytes.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(Self.size)
        room.store(UInt16(truncatingIfNeeded: destination.value >> 32), in: Layout.destinationHigh)
        room.store(UInt32(truncatingIfNeeded: destination.value), in: Layout.destinationLow)
        room.store(UInt16(truncatingIfNeeded: source.value >> 32), in: Layout.sourceHigh)
        room.store(UInt32(truncatingIfNeeded: source.value), in: Layout.sourceLow)
        room.store(type.rawValue, in: Layout.type)
        return Self.size
    }
}
