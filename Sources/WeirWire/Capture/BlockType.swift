/// The block types of pcapng that Weir knows.
///
/// Source: draft-ietf-opsawg-pcapng sections 4 and 10.1.
enum BlockType: UInt32 {
    case sectionHeader = 0x0a0d_0d0a
    case interfaceDescription = 1
    /// The obsolete Packet Block, which some files still have.
    case packet = 2
    case simplePacket = 3
    case nameResolution = 4
    case interfaceStatistics = 5
    case enhancedPacket = 6
    case decryptionSecrets = 0x0a
    case custom = 0x0bad
    case localCustom = 0x4000_0bad
}

/// The magic numbers, which identify a capture file's format and byte order.
enum CaptureMagic {
    /// Kuznetzov's "modified" pcap: 8 more bytes a record, for the interface, the protocol and the packet type.
    static let modified: UInt32 = 0xa1b2_cd34
    /// The byte-order magic in a section header of pcapng.
    static let byteOrder: UInt32 = 0x1a2b_3c4d
    /// The start of a pcap file with microseconds.
    static let microseconds: UInt32 = 0xa1b2_c3d4
    /// The start of a pcap file with nanoseconds.
    static let nanoseconds: UInt32 = 0xa1b2_3c4d
}
