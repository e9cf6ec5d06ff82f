/// Holds the header of a pcap file.
///
/// Source: draft-ietf-opsawg-pcap section 4.
public struct PcapHeader: Hashable, Sendable {
    /// Says in which order the numbers of the file stand.
    public var byteOrder: ByteOrder
    /// Says whether timestamps are in nanoseconds, not in microseconds.
    public var isNanoseconds: Bool
    /// Holds the major version of the format, 2.
    public var majorVersion: UInt16
    /// Holds the minor version of the format, 4.
    public var minorVersion: UInt16
    /// Holds seconds that nobody uses, 0; once the time zone.
    public var timeZone: Int32
    /// Holds a number that nobody uses, 0; once the accuracy of timestamps.
    public var accuracy: UInt32
    /// Holds the most bytes that are captured of a packet.
    public var snapLength: UInt32
    /// Names the outermost header of its packets.
    public var linkType: LinkType
    /// Holds the upper 16 bits of the link type's number: the length of the frame check sequence.
    public var linkFlags: UInt16

    /// Creates the header of a file, version 2.4.
    public init(
        linkType: LinkType,
        byteOrder: ByteOrder = .host,
        isNanoseconds: Bool = true,
        snapLength: UInt32 = 262_144,
        linkFlags: UInt16 = 0
    ) {
        self.byteOrder = byteOrder
        self.isNanoseconds = isNanoseconds
        self.majorVersion = 2
        self.minorVersion = 4
        self.timeZone = 0
        self.accuracy = 0
        self.snapLength = snapLength
        self.linkType = linkType
        self.linkFlags = linkFlags
    }

    /// Gives how many octets of frame check sequence close each packet; nil where the file does not say.
    public var frameCheckLength: Int? {
        // Bit 26 of the number says that the top four bits hold the length, in words of 16 bits.
        linkFlags & 0x0400 == 0 ? nil : Int(linkFlags >> 12) * 2
    }
}
