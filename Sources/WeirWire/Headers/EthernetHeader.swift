/// The header of an Ethernet frame.
///
/// ```
///  0      6      12      14
/// | to   | from | type  |
/// ```
/// An IEEE 802.3 frame has its length, at most 1500, in place of the type. The frame check sequence is not included.
///
/// Source: RFC 894, IEEE Std 802.3-2018 section 3.2.
public struct EthernetHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 14

    /// The address of the interface that the frame is for.
    public var destination: MACAddress
    /// The address of the interface that sent the frame.
    public var source: MACAddress
    /// The protocol that follows.
    public var type: EtherType

    /// Creates a header from its parts.
    public init(destination: MACAddress, source: MACAddress, type: EtherType) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    private enum Layout {
        static let destination = 0
        static let source = 6
        static let type = HeaderNumber<UInt16>(at: 12)
    }
}

extension EthernetHeader {
    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 14 bytes.
    @inline(__always)
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.destination = bytes.loadMAC(at: offset &+ Layout.destination)
        self.source = bytes.loadMAC(at: offset &+ Layout.source)
        self.type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }

    /// Reads the type of the frame at the start of the bytes.
    ///
    /// - Precondition: There are 14 bytes.
    @inline(__always)
    static func type(in bytes: RawSpan) -> EtherType { EtherType(rawValue: bytes.load(Layout.type, at: 0)) }

    /// Appends the 14 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { emit(into: $0) }
    }

    /// Writes the 14 bytes of the header to the start of a buffer, and returns their number.
    ///
    /// - Precondition: The buffer has 14 bytes.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(Self.size)
        room.storeMAC(destination, at: Layout.destination)
        room.storeMAC(source, at: Layout.source)
        room.store(type.rawValue, in: Layout.type)
        return Self.size
    }
}
