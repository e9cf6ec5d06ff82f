/// One entry of an MPLS label stack.
///
/// ```
///  0 label (20 bits), traffic class (3), bottom of stack (1), time to live (8)
/// ```
/// Source: RFC 3032 section 2.1, RFC 5462.
public struct MPLSLabel: Hashable, Sendable {
    /// The size of an entry, in bytes.
    public static let size = 4
    /// The destination port of MPLS over UDP (RFC 7510).
    public static let port: UInt16 = 6635

    /// The label, 0 to 0xfffff.
    public var label: UInt32
    /// The traffic class, 0 to 7.
    public var trafficClass: UInt8
    /// Whether this is the last entry.
    public var isBottom: Bool
    /// The maximum number of routers that may still forward the packet.
    public var timeToLive: UInt8

    /// Creates an entry from its parts.
    public init(label: UInt32, trafficClass: UInt8 = 0, isBottom: Bool, timeToLive: UInt8 = 64) {
        self.label = label & 0xf_ffff
        self.trafficClass = trafficClass & 7
        self.isBottom = isBottom
        self.timeToLive = timeToLive
    }

    private enum Layout {
        static let word = HeaderNumber<UInt32>(at: 0)
    }
}

extension MPLSLabel {
    /// Parses the entry at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let word = bytes.load(Layout.word, at: offset)
        self.init(
            label: word >> 12,
            trafficClass: UInt8(truncatingIfNeeded: word >> 9),
            isBottom: word & 0x100 != 0,
            timeToLive: UInt8(truncatingIfNeeded: word)
        )
    }

    /// Appends the 4 bytes of the entry.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            let word = label << 12 | UInt32(trafficClass & 7) << 9 | (isBottom ? 0x100 : 0) | UInt32(timeToLive)
            room.store(word, in: Layout.word)
            return Self.size
        }
    }
}
