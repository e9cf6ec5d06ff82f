/// The header of a UDP datagram.
///
/// ```
///  0 source port    2 destination port    4 length of header and payload    6 checksum, 0 for none
/// ```
/// The header is emitted as it was parsed, byte for byte.
///
/// Source: RFC 768.
public struct UDPHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 8

    /// The sender's port.
    public var sourcePort: UInt16
    /// The receiver's port.
    public var destinationPort: UInt16
    /// The length of header and payload in bytes; 0 in a jumbogram.
    public var length: UInt16
    /// The checksum, as on the wire; 0 if the sender computed none.
    public var checksum: UInt16 = 0

    /// Creates a header; the checksum is not set yet.
    ///
    /// - Precondition: `payloadLength` is between 0 and 65,527.
    public init(sourcePort: UInt16, destinationPort: UInt16, payloadLength: Int) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.length = UInt16(Self.size + payloadLength)
    }

    private enum Layout {
        static let sourcePort = HeaderNumber<UInt16>(at: 0)
        static let destinationPort = HeaderNumber<UInt16>(at: 2)
        static let length = HeaderNumber<UInt16>(at: 4)
        static let checksum = HeaderNumber<UInt16>(at: 6)
    }
}

extension UDPHeader {
    /// Parses the header at an offset.
    ///
    /// The payload may be missing.
    ///
    /// - Throws: `truncated`; `malformed` if the length is shorter than the header. A length of 0 is accepted.
    @inline(__always)
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.sourcePort = bytes.load(Layout.sourcePort, at: offset)
        self.destinationPort = bytes.load(Layout.destinationPort, at: offset)
        self.length = bytes.load(Layout.length, at: offset)
        self.checksum = bytes.load(Layout.checksum, at: offset)
        guard length == 0 || Int(length) >= Self.size else {
            throw .malformed(.udpLength, at: offset &+ Layout.length.offset)
        }
    }

    /// Appends the 8 bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { emit(into: $0) }
    }

    /// Writes the 8 bytes of the header as it is to the start of a buffer, and returns their number.
    ///
    /// - Precondition: The buffer has 8 bytes.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(Self.size)
        room.store(sourcePort, in: Layout.sourcePort)
        room.store(destinationPort, in: Layout.destinationPort)
        room.store(length, in: Layout.length)
        room.store(checksum, in: Layout.checksum)
        return Self.size
    }

    /// Computes and sets the checksum; a result of 0 is written as 0xffff, because 0 means no checksum.
    ///
    /// Complexity: O(n) in the payload's length.
    public mutating func setChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) {
        var sum = Checksum()
        sum.add(payload)
        setChecksum(from: source, to: destination, payload: sum, count: payload.byteCount)
    }

    /// Computes and sets the checksum, for a payload whose sum and length in bytes are known.
    public mutating func setChecksum(
        from source: IPAddress,
        to destination: IPAddress,
        payload: Checksum,
        count: Int
    ) {
        checksum = 0
        var sum = sum(from: source, to: destination, count: count)
        sum.add(payload)
        checksum = sum.value == 0 ? 0xffff : sum.value
    }

    /// Returns whether the checksum is correct; a checksum of 0 is correct only over IPv4.
    ///
    /// Source: RFC 8200 section 8.1.
    public func hasValidChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) -> Bool {
        guard checksum != 0 else { return source.isV4 }
        var sum = sum(from: source, to: destination, count: payload.byteCount)
        sum.add(payload)
        return sum.isValid
    }

    /// Returns the sum of the pseudo-header and the header, for a payload of `count` bytes.
    private func sum(from source: IPAddress, to destination: IPAddress, count: Int) -> Checksum {
        var sum = Checksum(pseudoHeaderFrom: source, to: destination, protocol: .udp, length: Self.size &+ count)
        sum.add(UInt32(sourcePort) << 16 | UInt32(destinationPort))
        sum.add(UInt32(length) << 16 | UInt32(checksum))
        return sum
    }
}
