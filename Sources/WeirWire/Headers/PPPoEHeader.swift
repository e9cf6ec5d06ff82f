/// The header of PPP over Ethernet.
///
/// ```
///  0 version 1, type 1 (4 bits each)    1 code    2 session    4 length
/// ```
/// It follows the EtherType 0x8864 in a session, 0x8863 before one.
///
/// Source: RFC 2516 section 4.
public struct PPPoEHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 6

    /// The code, the kind of the packet; 0 for session data.
    public var code: UInt8
    /// The session identifier.
    public var session: UInt16
    /// The length of the payload in bytes.
    public var length: UInt16

    /// Creates a header from its parts.
    public init(code: UInt8 = 0, session: UInt16, length: UInt16) {
        self.code = code
        self.session = session
        self.length = length
    }

    private enum Layout {
        static let versionAndType = HeaderNumber<UInt8>(at: 0)
        static let code = HeaderNumber<UInt8>(at: 1)
        static let session = HeaderNumber<UInt16>(at: 2)
        static let length = HeaderNumber<UInt16>(at: 4)
    }
}

extension PPPoEHeader {
    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if version and type are not 1.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        guard bytes.load(Layout.versionAndType, at: offset) == 0x11 else {
            throw .malformed(.pppoeVersion, at: offset)
        }
        self.code = bytes.load(Layout.code, at: offset)
        self.session = bytes.load(Layout.session, at: offset)
        self.length = bytes.load(Layout.length, at: offset)
    }

    /// Appends the 6 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(0x11, in: Layout.versionAndType)
            room.store(code, in: Layout.code)
            room.store(session, in: Layout.session)
            room.store(length, in: Layout.length)
            return Self.size
        }
    }
}
