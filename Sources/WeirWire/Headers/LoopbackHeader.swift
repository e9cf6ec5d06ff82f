/// The header of a packet on a BSD loopback: the address family as a number of 4 bytes.
///
/// With link type NULL it is in the byte order of the capturing machine, which the file does not record; with LOOP it
/// is in network order. Families are small numbers, which reveals the order.
///
/// Source: https://www.tcpdump.org/linktypes.html, LINKTYPE_NULL and LINKTYPE_LOOP.
public struct LoopbackHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 4

    /// The number of the address family, as on the capturing machine.
    public var family: UInt32
    /// The byte order of the number.
    public var byteOrder: ByteOrder

    /// Creates a header from its parts.
    public init(family: UInt32, byteOrder: ByteOrder) {
        self.family = family
        self.byteOrder = byteOrder
    }

    private enum Layout {
        static let family = HeaderNumber<UInt32>(at: 0)
    }
}

extension LoopbackHeader {
    /// The IP version that follows; nil for any other family.
    ///
    /// IPv4 is 2 everywhere. IPv6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin, 10 on Linux, 23 on Windows.
    public var version: IPAddress.Family? {
        switch family {
        case 2: .v4
        case 10, 23, 24, 28, 30: .v6
        default: nil
        }
    }

    /// Parses the header at an offset, in the byte order that makes the family the smaller number.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let number = bytes.load(Layout.family, at: offset)
        let isLittle = number.byteSwapped < number
        self.init(family: isLittle ? number.byteSwapped : number, byteOrder: isLittle ? .little : .big)
    }

    /// Appends the 4 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(byteOrder == .little ? family.byteSwapped : family, in: Layout.family)
            return Self.size
        }
    }
}
