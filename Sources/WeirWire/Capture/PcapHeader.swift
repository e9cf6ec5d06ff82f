/// The header of a pcap file.
///
/// Source: draft-ietf-opsawg-pcap section 4.
public struct PcapHeader: Hashable, Sendable {
    /// The byte order of the file's numbers.
    public var byteOrder: ByteOrder
    /// Whether timestamps are in nanoseconds, not in microseconds.
    public var isNanoseconds: Bool
    /// The major version of the format, 2.
    public var majorVersion: UInt16
    /// The minor version of the format, 4.
    public var minorVersion: UInt16
    /// An unused number of seconds, 0; once the time zone.
    public var timeZone: Int32
    /// An unused number, 0; once the accuracy of timestamps.
    public var accuracy: UInt32
    /// The maximum number of bytes captured of a packet.
    public var snapLength: UInt32
    /// The link type of the packets: their outermost header.
    public var linkType: LinkType
    /// The upper 16 bits of the link type field: the length of the frame check sequence.
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

    /// The length of the frame check sequence at the end of each packet, in octets; nil if the file does not record it.
    public var frameCheckLength: Int? {
        // Bit 26 of the field is set if its top four bits hold the length, in words of 16 bits.
        linkFlags & 0x0400 == 0 ? nil : Int(linkFlags >> 12) * 2
    }
}
