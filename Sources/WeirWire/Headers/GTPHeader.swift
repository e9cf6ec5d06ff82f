/// The header of a user's packet in a mobile network, over UDP (GTP-U).
///
/// ```
///  0 version 1 (3 bits), protocol type 1, reserved, extension, sequence, N-PDU    1 message    2 length
///  4 tunnel    8 if any of the three flags is set: sequence number, 10 N-PDU number, 11 next extension
/// ```
/// Extension headers have their length in words of 4 bytes in the first byte, and the type of the next in the last.
///
/// Source: 3GPP TS 29.281 section 5.1.
public struct GTPHeader: Hashable, Sendable {
    /// The size of a header without its optional part, in bytes.
    public static let minimumSize = 8
    /// The destination port.
    public static let port: UInt16 = 2152
    /// The type of the message that carries a user's packet (G-PDU).
    public static let userData: UInt8 = 0xff

    /// The message type.
    public var message: UInt8
    /// The length of everything after the first 8 bytes, in bytes.
    public var length: UInt16
    /// The tunnel endpoint identifier (TEID).
    public var tunnel: UInt32
    /// The three flags: extension 4, sequence number 2, N-PDU number 1.
    public var flags: UInt8
    /// The sequence number, the N-PDU number and the type of the first extension, if a flag is set; otherwise 0.
    public var optional: UInt32

    /// Creates a header from its parts.
    public init(message: UInt8 = userData, length: UInt16, tunnel: UInt32, flags: UInt8 = 0, optional: UInt32 = 0) {
        self.message = message
        self.length = length
        self.tunnel = tunnel
        self.flags = flags & 7
        self.optional = flags & 7 == 0 ? 0 : optional
    }

    private enum Layout {
        static let flags = HeaderNumber<UInt8>(at: 0)
        static let message = HeaderNumber<UInt8>(at: 1)
        static let length = HeaderNumber<UInt16>(at: 2)
        static let tunnel = HeaderNumber<UInt32>(at: 4)
        static let optional = HeaderNumber<UInt32>(at: 8)
        static let byte = HeaderNumber<UInt8>(at: 0)
    }
}

extension GTPHeader {
    /// The size of the header without extension headers, in bytes.
    public var size: Int { flags == 0 ? Self.minimumSize : Self.minimumSize + 4 }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 1, or the header is one of GTP' (protocol type 0).
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let first = bytes.load(Layout.flags, at: offset)
        guard first >> 4 == 3 else { throw .malformed(.gtpVersion, at: offset) }
        if first & 7 != 0 { try bytes.require(Self.minimumSize &+ 4, at: offset) }
        self.init(
            message: bytes.load(Layout.message, at: offset),
            length: bytes.load(Layout.length, at: offset),
            tunnel: bytes.load(Layout.tunnel, at: offset),
            flags: first,
            optional: first & 7 == 0 ? 0 : bytes.load(Layout.optional, at: offset)
        )
    }

    /// Returns the offset of the payload, after the extension headers.
    ///
    /// - Throws: `truncated`; `malformed` if an extension header has length 0.
    public func payloadOffset(in bytes: RawSpan, at offset: Int = 0) throws(DecodeError) -> Int {
        var next = flags & 4 == 0 ? 0 : UInt8(truncatingIfNeeded: optional)
        var position = offset &+ size
        while next != 0 {
            try bytes.require(4, at: position)
            let length = Int(bytes.load(Layout.byte, at: position)) &* 4
            guard length > 0 else { throw .malformed(.gtpExtension, at: position) }
            try bytes.require(length, at: position)
            position &+= length
            next = bytes.load(Layout.byte, at: position &- 1)
        }
        return position
    }

    /// Appends the 8 or 12 bytes of the header; the caller appends the extension headers.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { room in
            room.store(0x30 | flags & 7, in: Layout.flags)
            room.store(message, in: Layout.message)
            room.store(length, in: Layout.length)
            room.store(tunnel, in: Layout.tunnel)
            if flags & 7 != 0 { room.store(optional, in: Layout.optional) }
            return size
        }
    }
}
