/// Names the blocks of pcapng that are known here.
///
/// Source: draft-ietf-opsawg-pcapng sections 4 and 10.1.
enum BlockType: UInt32 {
    case sectionHeader = 0x0a0d_0d0a
    case interfaceDescription = 1
    /// Obsolete, and still found.
    case packet = 2
    case simplePacket = 3
    case nameResolution = 4
    case interfaceStatistics = 5
    case enhancedPacket = 6
    case decryptionSecrets = 0x0a
    case custom = 0x0bad
    case localCustom = 0x4000_0bad
}

/// Names the numbers that tell a capture file's kind and byte order.
enum CaptureMagic {
    /// Kuznetzov's "modified" pcap: records with 8 more bytes, of the interface, the protocol and the packet's type.
    static let modified: UInt32 = 0xa1b2_cd34
    /// Stands in a section header of pcapng.
    static let byteOrder: UInt32 = 0x1a2b_3c4d
    /// Begins a pcap file in microseconds.
    static let microseconds: UInt32 = 0xa1b2_c3d4
    /// Begins a pcap file in nanoseconds.
    static let nanoseconds: UInt32 = 0xa1b2_3c4d
}
