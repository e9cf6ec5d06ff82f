/// The header of an ICMPv4 message.
///
/// ```
///  0 type    1 code    2 checksum    4 rest, which depends on the type
/// ```
/// The header is emitted as it was parsed, byte for byte.
///
/// Source: RFC 792.
public struct ICMPv4Header: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 8

    /// The message type.
    public var type: UInt8
    /// The code, which refines the type.
    public var code: UInt8
    /// The checksum, as on the wire.
    public var checksum: UInt16 = 0
    /// The last four bytes: an echo's identifier and sequence number, the next hop's MTU, or a gateway.
    public var rest: UInt32

    /// Creates a header; the checksum is not set yet.
    public init(type: UInt8, code: UInt8, rest: UInt32 = 0) {
        self.type = type
        self.code = code
        self.rest = rest
    }

    private enum Layout {
        static let type = HeaderNumber<UInt8>(at: 0)
        static let code = HeaderNumber<UInt8>(at: 1)
        static let checksum = HeaderNumber<UInt16>(at: 2)
        static let rest = HeaderNumber<UInt32>(at: 4)
    }
}

extension ICMPv4Header {
    /// Whether the message is about another packet, whose first bytes follow the header.
    ///
    /// True for destination unreachable, source quench, redirect, time exceeded and parameter problem.
    public var quotesPacket: Bool {
        switch type {
        case 3, 4, 5, 11, 12: true
        default: false
        }
    }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 8 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.type = bytes.load(Layout.type, at: offset)
        self.code = bytes.load(Layout.code, at: offset)
        self.checksum = bytes.load(Layout.checksum, at: offset)
        self.rest = bytes.load(Layout.rest, at: offset)
    }

    /// Appends the 8 bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(type, in: Layout.type)
            room.store(code, in: Layout.code)
            room.store(checksum, in: Layout.checksum)
            room.store(rest, in: Layout.rest)
            return Self.size
        }
    }

    /// Computes and sets the checksum.
    ///
    /// Complexity: O(n) in the payload's length.
    public mutating func setChecksum(payload: RawSpan) {
        checksum = 0
        checksum = sum(payload: payload).value
    }

    /// Returns whether the checksum is right.
    public func hasValidChecksum(payload: RawSpan) -> Bool { sum(payload: payload).isValid }

    private func sum(payload: RawSpan) -> Checksum {
        var sum = Checksum()
        sum.add(UInt32(type) << 24 | UInt32(code) << 16 | UInt32(checksum))
        sum.add(rest)
        sum.add(payload)
        return sum
    }
}
