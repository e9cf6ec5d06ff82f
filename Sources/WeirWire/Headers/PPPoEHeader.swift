/// Holds the header of PPP over Ethernet.
///
/// ```
///  0 version 1, type 1 (4 bits each)    1 code    2 session    4 length
/// ```
/// It stands behind the type 0x8864 in a session, 0x8863 before one.
///
/// Source: RFC 2516 section 4.
public struct PPPoEHeader: Hashable, Sendable {
    /// Gives the size of the header in bytes.
    public static let size = 6

    /// Names what the packet does; 0 carries data.
    public var code: UInt8
    /// Names the session.
    public var session: UInt16
    /// Holds the length of what follows in bytes.
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
    /// Parses the header that begins at an offset.
    ///
    /// - Throws: `truncated`; `malformed` where version and type are not 1.
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
