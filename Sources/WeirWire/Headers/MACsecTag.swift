/// The MACsec tag of a frame; if the frame is in clear, its EtherType follows.
///
/// ```
///  0 flags (6 bits), association (2)    1 short length    2 packet number    6 channel, 8 bytes, if flagged
///  then the type of the frame, if it is not encrypted; the last 16 bytes of the frame are the check value
/// ```
/// It follows the EtherType 0x88e5.
///
/// Source: IEEE Std 802.1AE-2018 section 9.3.
public struct MACsecTag: Hashable, Sendable {
    /// The size of the integrity check value at the end of the frame, in bytes.
    public static let checkSize = 16

    /// The flags and the association number.
    public var control: UInt8
    /// The number of protected bytes if it is under 48; otherwise 0.
    public var shortLength: UInt8
    /// The packet number of the frame.
    public var packetNumber: UInt32
    /// The secure channel identifier, if the tag has one; otherwise 0.
    public var channel: UInt64

    /// Creates a tag from its parts.
    public init(control: UInt8, shortLength: UInt8 = 0, packetNumber: UInt32, channel: UInt64 = 0) {
        self.control = control
        self.shortLength = shortLength
        self.packetNumber = packetNumber
        self.channel = control & Flag.channel == 0 ? 0 : channel
    }

    private enum Layout {
        static let control = HeaderNumber<UInt8>(at: 0)
        static let shortLength = HeaderNumber<UInt8>(at: 1)
        static let packetNumber = HeaderNumber<UInt32>(at: 2)
        static let channel = HeaderNumber<UInt64>(at: 6)
    }

    private enum Flag {
        static let channel: UInt8 = 0x20
        static let encrypted: UInt8 = 0x08
        static let changed: UInt8 = 0x04
    }
}

extension MACsecTag {
    /// The size of the tag, without the type after it, in bytes: 6 or 14.
    public var size: Int { control & Flag.channel == 0 ? 6 : 14 }

    /// Whether the frame is readable: neither encrypted nor otherwise changed.
    public var isClear: Bool { control & (Flag.encrypted | Flag.changed) == 0 }

    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 6 or 14 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(6, at: offset)
        self.control = bytes.load(Layout.control, at: offset)
        self.shortLength = bytes.load(Layout.shortLength, at: offset)
        self.packetNumber = bytes.load(Layout.packetNumber, at: offset)
        self.channel = 0
        guard control & Flag.channel != 0 else { return }
        try bytes.require(14, at: offset)
        self.channel = bytes.load(Layout.channel, at: offset)
    }

    /// Appends the 6 or 14 bytes of the tag; the caller appends the type and the check value.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { room in
            room.store(control, in: Layout.control)
            room.store(shortLength, in: Layout.shortLength)
            room.store(packetNumber, in: Layout.packetNumber)
            if control & Flag.channel != 0 { room.store(channel, in: Layout.channel) }
            return size
        }
    }
}
